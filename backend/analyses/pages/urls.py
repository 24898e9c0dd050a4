"""The addresses of the pages."""

from django.urls import path

from backend.analyses.pages import history, pwa, views

app_name = "pages"

urlpatterns = [
    path("", views.home, name="home"),
    path("sample/", views.sample, name="sample"),
    path("history/", history.history, name="history"),
    path("manifest.webmanifest", pwa.manifest, name="manifest"),
    path("sw.js", pwa.worker, name="worker"),
    path("offline/", pwa.offline, name="offline"),
    path("analyses/<uuid:analysis_id>/", views.analysis, name="analysis"),
    path("analyses/<uuid:analysis_id>/photo/", views.photo, name="photo"),
    path("analyses/<uuid:analysis_id>/maps/<slug:symptom>.png", views.symptom_map, name="map"),
    path("analyses/<uuid:analysis_id>/cancel/", views.cancel, name="cancel"),
    path("analyses/<uuid:analysis_id>/retry/", views.retry, name="retry"),
    path("analyses/<uuid:analysis_id>/share/", views.share, name="share"),
    path("analyses/<uuid:analysis_id>/share/end/", views.unshare, name="unshare"),
    path("analyses/<uuid:analysis_id>/feedback/", views.feedback, name="feedback"),
    path("shared/<uuid:share_id>/", views.shared, name="shared"),
    path("analyses/<uuid:analysis_id>/erase/", views.erase, name="erase"),
]
