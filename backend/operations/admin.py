from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from backend.operations.models import Worker


class ReadOnly(admin.ModelAdmin):
    """Rows are facts: they are made and changed by services alone."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Worker)
class WorkerAdmin(ReadOnly):
    """Workers as they last made themselves heard."""

    list_display = ("name", "role", "seen_at", "models_resident", "bundle", "device", "max_batch", "photo_seconds")
    list_filter = ("role",)
