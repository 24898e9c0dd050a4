"""The web with a point: `gunicorn tests.chaos.parts.web:application`."""

from __future__ import annotations

from django.core.files.storage import FileSystemStorage

from backend.config.wsgi import application
from tests.chaos.points import at

__all__ = ["application"]

at(FileSystemStorage, "save", before="save")
