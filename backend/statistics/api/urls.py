from django.urls import path

from backend.statistics.api import views

app_name = "statistics-api"

urlpatterns = [
    path("statistics/", views.PublishedStatistics.as_view(), name="statistics"),
    path("analyses/<uuid:analysis_id>/statistics/", views.AnalysisStatistics.as_view(), name="own"),
]
