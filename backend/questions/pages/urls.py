"""URLs of the pages."""

from django.urls import path

from backend.questions.pages import views

app_name = "questions"

urlpatterns = [
    path("questions/", views.questions, name="questions"),
    path("questions/<slug:key>/", views.entry, name="entry"),
    path("analyses/<uuid:analysis_id>/questions/", views.own, name="own"),
]
