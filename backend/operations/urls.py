from django.urls import path

from backend.operations import views

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("admin/login/", views.login),
    path("internal/staff/", views.staff, name="staff"),
]
