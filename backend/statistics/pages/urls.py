"""URLs of the pages."""

from django.urls import path

from backend.statistics.pages import views

app_name = "statistics"

urlpatterns = [
    path("statistics/", views.statistics, name="statistics"),
    path("analyses/<uuid:analysis_id>/statistics/", views.own, name="own"),
]
