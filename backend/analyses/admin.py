"""Admin of analyses: view, filter, search and export; cancel, retry and erase use the same services as the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from import_export import resources

from backend.analyses.models import Analysis, Feedback, Finding, Human
from backend.analyses.services.control import analysis_cancel, analysis_erase, analysis_retry
from backend.config.errors import UserError
from backend.operations.admin import Exported
from backend.operations.audit import log_staff_action


class HumanResource(resources.ModelResource):
    class Meta:
        model = Human
        fields = ("id", "sex", "age", "skin", "pred")


@admin.register(Human)
class HumanAdmin(Exported):
    resource_classes = [HumanResource]
    list_display = ("id", "sex", "age", "skin", "pred")
    list_filter = ("sex", "age", "skin", "pred")
    search_fields = ("=id", "skin", "pred")
    ordering = ("-id",)
    show_full_result_count = False


class FindingInline(admin.TabularInline):
    model = Finding
    extra = 0
    can_delete = False
    fields = readonly_fields = (
        "symptom", "grade", "confidence", "abstains", "abstention",
        "probability_0", "probability_1", "probability_2", "probability_3",
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AnalysisResource(resources.ModelResource):
    class Meta:
        model = Analysis
        fields = (
            "id", "status", "code", "sex", "age", "device", "created_at", "queued_at", "started_at", "finished_at",
            "attempt", "worker", "bundle", "demo", "human",
        )  # fmt: skip


@admin.register(Analysis)
class AnalysisAdmin(Exported):
    resource_classes = [AnalysisResource]
    list_display = (
        "id",
        "status",
        "code",
        "sex",
        "age",
        "created_at",
        "wait",
        "inference",
        "attempt",
        "worker",
        "bundle",
    )
    list_filter = ("status", "code", "sex", "age", "device", "demo", "bundle", "created_at")
    search_fields = ("id", "worker", "=human__id")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    inlines = [FindingInline]
    actions = ["cancel", "retry", "erase"]
    exclude = ("photo",)
    show_full_result_count = False

    @admin.display(description=_("queue wait, s"))
    def wait(self, analysis: Analysis) -> str:
        return _seconds(analysis.queued_at, analysis.started_at)

    @admin.display(description=_("inference time, s"))
    def inference(self, analysis: Analysis) -> str:
        return _seconds(analysis.started_at, analysis.finished_at)

    # The change permission allows these actions; columns are never edited by hand.
    def has_act_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("analyses.change_analysis"))

    @admin.action(description=_("Cancel"), permissions=["act"])
    def cancel(self, request: HttpRequest, chosen: QuerySet[Analysis]) -> None:
        self._each(request, chosen, analysis_cancel, "cancel")

    @admin.action(description=_("Try again"), permissions=["act"])
    def retry(self, request: HttpRequest, chosen: QuerySet[Analysis]) -> None:
        self._each(request, chosen, analysis_retry, "retry")

    @admin.action(description=_("Erase photo, answers, findings and statistics record"), permissions=["act"])
    def erase(self, request: HttpRequest, chosen: QuerySet[Analysis]) -> None:
        self._each(request, chosen, analysis_erase, "erase")

    def _each(self, request: HttpRequest, chosen: QuerySet[Analysis], act: Callable[[UUID], None], word: str) -> None:
        done = 0
        for analysis_id in list(chosen.values_list("id", flat=True)):
            try:
                with transaction.atomic():  # The action and its log entry succeed or fail together.
                    act(analysis_id)
                    log_staff_action(request.user, word, Analysis, analysis_id, erases=act is analysis_erase)
            except UserError as error:
                self.message_user(request, f"{analysis_id}: {error.detail}", messages.WARNING)
            else:
                done += 1
        self.message_user(request, ngettext("%d analysis done.", "%d analyses done.", done) % done)


class FindingResource(resources.ModelResource):
    class Meta:
        model = Finding
        exclude = ("id", "map")


@admin.register(Finding)
class FindingAdmin(Exported):
    resource_classes = [FindingResource]
    list_display = ("analysis", "symptom", "grade", "confidence", "abstains", "abstention")
    list_filter = (
        "symptom",
        "grade",
        "abstains",
        "abstention",
        "analysis__demo",
        "analysis__bundle",
        "analysis__created_at",
    )
    search_fields = ("analysis__id",)
    list_select_related = ("analysis",)
    ordering = ("-id",)
    show_full_result_count = False


class FeedbackResource(resources.ModelResource):
    class Meta:
        model = Feedback
        exclude = ("id",)


@admin.register(Feedback)
class FeedbackAdmin(Exported):
    resource_classes = [FeedbackResource]
    list_display = ("analysis", "symptom", "opinion", "given_at")
    list_filter = ("symptom", "opinion", "analysis__bundle", "given_at")
    search_fields = ("analysis__id",)
    list_select_related = ("analysis",)
    ordering = ("-given_at",)
    show_full_result_count = False


def _seconds(start: Any, end: Any) -> str:
    return f"{(end - start).total_seconds():.1f}" if start and end else "–"
