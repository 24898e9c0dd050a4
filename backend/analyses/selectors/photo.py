"""The photo of an analysis and the maps over it, as long as they may be kept, even if the purge is late."""

from __future__ import annotations

from uuid import UUID

from django.core.files.storage import default_storage
from django.utils import timezone

from backend.analyses.errors import NoMap, PhotoPurged
from backend.analyses.models import Analysis, Finding
from backend.analyses.selectors.status import analysis_missing


def analysis_photo(analysis_id: UUID) -> bytes:
    """The cleaned photo of an analysis, a JPEG. Raises PhotoPurged, AnalysisUnknown or AnalysisErased."""
    found = Analysis.objects.filter(pk=analysis_id).values_list("photo", "purge_at").first()
    if found is None:
        raise analysis_missing(analysis_id)
    name, purge_at = found
    if not name or purge_at <= timezone.now():
        raise PhotoPurged
    try:
        return stored_photo(name)
    except FileNotFoundError:
        raise PhotoPurged from None  # Purged since the read above.


def stored_photo(name: str) -> bytes:
    """The photo of this name in storage. Raises FileNotFoundError, or OSError if the storage fails."""
    with default_storage.open(name, "rb") as file:
        return bytes(file.read())


def finding_map(analysis_id: UUID, symptom: str) -> bytes:
    """The map of a symptom as stored in `Finding`. Raises NoMap, AnalysisUnknown or AnalysisErased."""
    found = Finding.objects.filter(
        analysis_id=analysis_id, symptom=symptom, analysis__purge_at__gt=timezone.now()
    ).exclude(analysis__photo="")
    kept = found.values_list("map", flat=True).first()
    if kept:
        return bytes(kept)
    if not Analysis.objects.filter(pk=analysis_id).exists():
        raise analysis_missing(analysis_id)
    raise NoMap
