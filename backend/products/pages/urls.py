"""URLs of the pages."""

from django.urls import path

from backend.products.pages import views

app_name = "products"

urlpatterns = [
    path("products/", views.catalog, name="catalog"),
    path("analyses/<uuid:analysis_id>/products/", views.suggestions, name="suggestions"),
    path("analyses/<uuid:analysis_id>/products/<int:product_id>/go/", views.go, name="go"),
]
