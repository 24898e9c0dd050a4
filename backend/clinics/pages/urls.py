"""URLs of the pages."""

from django.urls import path

from backend.clinics.pages import views

app_name = "clinics"

urlpatterns = [
    path("clinics/", views.clinics, name="clinics"),
    path("clinics/<int:clinic_id>/", views.clinic, name="clinic"),
    path("analyses/<uuid:analysis_id>/doctor/", views.doctor, name="doctor"),
]
