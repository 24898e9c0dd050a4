from django.urls import path

from backend.products.api import views

app_name = "products-api"

urlpatterns = [
    path("products/", views.ProductCollection.as_view(), name="products"),
    path("products/<int:product_id>/click/", views.ProductClick.as_view(), name="click"),
    path("analyses/<uuid:analysis_id>/products/", views.AnalysisProducts.as_view(), name="suggestions"),
]
