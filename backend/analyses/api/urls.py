from django.urls import path

from backend.analyses.api import views
from backend.analyses.api.index import Index

app_name = "api"

urlpatterns = [
    path("", Index.as_view(), name="index"),
    path("analyses/", views.AnalysisCollection.as_view(), name="analyses"),
    path("analyses/<uuid:analysis_id>/", views.AnalysisDetail.as_view(), name="analysis"),
    path("analyses/<uuid:analysis_id>/cancel/", views.AnalysisCancel.as_view(), name="cancel"),
    path("analyses/<uuid:analysis_id>/retry/", views.AnalysisRetry.as_view(), name="retry"),
    path("analyses/<uuid:analysis_id>/photo/", views.AnalysisPhoto.as_view(), name="photo"),
    path("analyses/<uuid:analysis_id>/export/", views.AnalysisExport.as_view(), name="export"),
    path("analyses/<uuid:analysis_id>/share/", views.AnalysisShare.as_view(), name="share"),
    path("analyses/<uuid:analysis_id>/feedback/", views.AnalysisFeedback.as_view(), name="feedback"),
    path("queue/", views.Queue.as_view(), name="queue"),
]
