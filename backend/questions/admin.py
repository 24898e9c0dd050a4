"""Admin pages of the questions: entries to review and edit, and questions without an answer."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from import_export import resources

from backend.operations.admin import Exported
from backend.questions.models import REVIEW_COLUMNS, TEXT_COLUMNS, Entry, Unanswered
from backend.questions.services.loading import entry_texts_write


class EntryResource(resources.ModelResource):
    class Meta:
        model = Entry
        exclude = ("id", "changed_at")


@admin.register(Entry)
class EntryAdmin(Exported):
    """An entry whose texts are edited here is kept when a new version brings other texts.

    A review is of the texts as they were: editing them removes it, unless the same form enters a new one.
    """

    resource_classes = [EntryResource]
    list_display = ("key", "topic", "question_ko", "edited_on", "reviewed_on", "reviewed_by_role", "edited")
    list_filter = ("topic", "edited", "reviewed_by_role", "reviewed_on")
    search_fields = ("key", "question_ko", "also_ko", "answer_ko", "question_en", "also_en", "answer_en")
    ordering = ("topic", "key")
    readonly_fields = ("key", "topic", "edited_on", "edited", "changed_at")
    show_full_result_count = False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("questions.change_entry"))

    def save_model(self, request: HttpRequest, obj: Entry, form: Any, change: bool) -> None:
        if TEXT_COLUMNS & set(form.changed_data):
            obj.edited, obj.edited_on = True, timezone.localdate()
            if not REVIEW_COLUMNS & set(form.changed_data):
                obj.remove_review()
        super().save_model(request, obj, form, change)
        entry_texts_write(obj)


class UnansweredResource(resources.ModelResource):
    class Meta:
        model = Unanswered
        exclude = ("id",)


@admin.register(Unanswered)
class UnansweredAdmin(Exported):
    """Questions without a sure answer: these are the next ones to write an entry for."""

    resource_classes = [UnansweredResource]
    list_display = ("text", "language", "nearest", "asked_on")
    list_filter = ("language", "asked_on", "nearest")
    search_fields = ("text",)
    date_hierarchy = "asked_on"
    ordering = ("-asked_on", "-id")
    list_display_links = None
    show_full_result_count = False
