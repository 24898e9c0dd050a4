from django.urls import path

from backend.questions.api import views

app_name = "questions-api"

urlpatterns = [
    path("questions/", views.QuestionCollection.as_view(), name="questions"),
    path("questions/<slug:key>/", views.QuestionDetail.as_view(), name="entry"),
]
