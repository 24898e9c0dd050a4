from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest
from import_export.admin import ExportMixin
from import_export.formats.base_formats import CSV

from backend.operations.audit import log_staff_action
from backend.operations.models import Worker
from backend.operations.spreadsheets import safe_cell


class ReadOnly(admin.ModelAdmin):
    """Rows that only services create and change."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Exported(ExportMixin, ReadOnly):
    """Rows that may be exported; exports are logged."""

    def get_export_data(self, file_format: Any, request: HttpRequest, queryset: QuerySet[Any], **options: Any) -> Any:
        data = super().get_export_data(file_format, request, queryset, **options)
        log_staff_action(request.user, "export", self.model, rows=queryset.count())
        # Without a byte order mark, Excel on a Korean Windows reads UTF-8 as cp949.
        return f"\ufeff{data}" if isinstance(file_format, CSV) else data

    def get_data_for_export(self, *arguments: Any, **options: Any) -> Any:
        """The table of every export, whatever its model and format, safe for spreadsheets."""
        table = super().get_data_for_export(*arguments, **options)
        safe = type(table)(headers=table.headers, title=table.title)
        for row in table:
            safe.append([safe_cell(cell) for cell in row])
        return safe


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnly):
    """The audit log, read-only."""

    list_display = ("action_time", "user", "change_message", "content_type", "object_id")
    list_filter = ("action_time", "user", "content_type")
    search_fields = ("=object_id", "change_message", "=user__username")
    list_select_related = ("user", "content_type")
    date_hierarchy = "action_time"
    ordering = ("-id",)
    list_display_links = None
    show_full_result_count = False


@admin.register(Worker)
class WorkerAdmin(ReadOnly):
    """Workers at their last heartbeat."""

    list_display = ("name", "role", "seen_at", "models_resident", "bundle", "device", "max_batch", "photo_seconds")
    list_filter = ("role",)
