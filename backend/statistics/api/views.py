"""The statistics API: the statistics of a group, and a result compared with its group."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.analyses.api.openapi import problems
from backend.analyses.models import Age, Sex
from backend.config.private_responses import private
from backend.statistics.api import openapi
from backend.statistics.errors import GroupUnknown
from backend.statistics.selectors.groups import Group, StatisticsByGroup, statistics_published
from backend.statistics.selectors.own import own_statistics


class PublishedStatistics(APIView):
    @extend_schema(
        operation_id="statistics",
        parameters=[openapi.SEX, openapi.AGE],
        responses={200: openapi.StatisticsSchema, **problems(422)},
    )
    def get(self, request: Request) -> HttpResponse:
        """How common each scalp type and degree is among the results of one sex and age group."""
        sex, age = request.GET.get("sex"), request.GET.get("age")
        if sex not in {None, *Sex.values} or age not in {None, *Age.values}:
            raise GroupUnknown
        published = statistics_published()
        return JsonResponse(statistics_json(published, published.group(sex, age)))


class AnalysisStatistics(APIView):
    @extend_schema(
        operation_id="analysis_statistics",
        responses={200: openapi.OwnStatisticsSchema, **problems(404, 409, 410)},
    )
    def get(self, request: Request, analysis_id: UUID) -> HttpResponse:
        """One result compared with those of the same sex and age group."""
        own = own_statistics(analysis_id)
        place = own.place and {
            "type": own.skin, "degree": own.degree,
            "lower": round(own.place.lower, 3), "same": round(own.place.same, 3), "higher": round(own.place.higher, 3),
        }  # fmt: skip
        return private(JsonResponse({**statistics_json(own.published, own.group), "place": place}))


def statistics_json(published: StatisticsByGroup, group: Group | None) -> dict[str, Any]:
    return {
        "published_at": published.published_at and published.published_at.isoformat(),
        "demo": published.demo,
        "group": group and _group_json(group),
    }


def _group_json(group: Group) -> dict[str, Any]:
    return {
        "sex": group.sex,
        "age": group.age,
        "results": group.results,
        "median": group.median,
        "types": [{"type": skin, "share": round(share, 3)} for skin, share in group.skins.items()],
        "degrees": [{"degree": degree, "share": round(share, 3)} for degree, share in enumerate(group.preds)],
    }
