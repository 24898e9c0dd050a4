"""Every address of the service."""

from csp.decorators import csp_update
from django.contrib import admin
from django.urls import include, path
from django.utils.translation import gettext_lazy as _
from drf_spectacular.views import SpectacularSwaggerSplitView

from backend.config.openapi import SchemaView
from backend.dashboard.views import dashboard
from backend.products.rates import rates_page

admin.site.site_header = admin.site.site_title = "ScalpSpectra"
admin.site.index_title = _("Rows")

# Swagger UI sets styles from its script and draws its icons from data URLs; the script itself is ours. Asked for its
# options, the view would look for a template that it has not.
api_docs = csp_update({"style-src": ["'self'", "'unsafe-inline'"]})(
    SpectacularSwaggerSplitView.as_view(url_name="schema", http_method_names=["get", "head"])
)

urlpatterns = [
    path("", include("backend.analyses.pages.urls")),
    path("", include("backend.clinics.pages.urls")),
    path("", include("backend.products.pages.urls")),
    path("", include("backend.questions.pages.urls")),
    path("", include("backend.statistics.pages.urls")),
    path("", include("backend.operations.urls")),
    path("api/v1/", include("backend.analyses.api.urls")),
    path("api/v1/", include("backend.clinics.api.urls")),
    path("api/v1/", include("backend.products.api.urls")),
    path("api/v1/", include("backend.questions.api.urls")),
    path("api/v1/", include("backend.statistics.api.urls")),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/docs/", api_docs, name="docs"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/dashboard/", admin.site.admin_view(dashboard), name="dashboard"),
    path("admin/products/rates/", admin.site.admin_view(rates_page), name="rates"),
    path("admin/", admin.site.urls),
]

handler400 = "backend.config.problems.handler_400"
handler403 = "backend.config.problems.handler_403"
handler404 = "backend.config.problems.handler_404"
handler500 = "backend.config.problems.handler_500"
