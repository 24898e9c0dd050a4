from django.urls import path

from backend.clinics.api import views

app_name = "clinics-api"

urlpatterns = [
    path("clinics/", views.ClinicCollection.as_view(), name="clinics"),
    path("clinics/map/", views.ClinicMap.as_view(), name="map"),
    path("clinics/<int:clinic_id>/", views.ClinicDetail.as_view(), name="clinic"),
]
