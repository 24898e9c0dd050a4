from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from backend.operations.models import Worker


@admin.register(Worker)
class WorkerAdmin(admin.ModelAdmin):
    """Workers as they last made themselves heard; their rows write themselves."""

    list_display = ("name", "role", "seen_at", "models_resident", "bundle", "device", "max_batch", "photo_seconds")
    list_filter = ("role",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
