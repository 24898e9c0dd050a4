"""The statistics pages: for a selected group, and for the group that a reader's own result belongs to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from backend.analyses.models import Age, Sex
from backend.analyses.presentation.words import label_word, type_word
from backend.config.errors import UserError
from backend.config.private_responses import private
from backend.statistics.pages.bars import age_bars, degree_bars, group_name, place_percents, skin_bars
from backend.statistics.sample import sample_statistics
from backend.statistics.selectors.groups import Group, StatisticsByGroup, statistics_published
from backend.statistics.selectors.own import own_statistics
from backend.statistics.services.publishing import MIN_GROUP_SIZE
from ml.labels import GRADES


@require_safe
def statistics(request: HttpRequest) -> HttpResponse:
    """The statistics of a sex and age group, or a wider one if that is too small; unknown values mean all."""
    sex, age = request.GET.get("sex"), request.GET.get("age")
    sex, age = sex if sex in Sex.values else None, age if age in Age.values else None
    published = statistics_published()
    is_sample = not published.counts
    if is_sample:
        published = sample_statistics()
    group = published.nearest(sex, age)
    context = {
        **_group_context(published, group, sex),
        "is_sample": is_sample,
        "wider": group and (group.sex, group.age) != (sex, age),
        "sex": sex,
        "age": age,
        "sexes": Sex.choices,
        "ages": Age.choices,
    }
    return render(request, "pages/statistics.html", context)


@require_safe
def own(request: HttpRequest, analysis_id: UUID) -> HttpResponse:
    """The statistics for the sex and age given with one photo, compared with its result."""
    try:
        own = own_statistics(analysis_id)
    except UserError as error:
        problem = {"status": error.status, "detail": error.detail}
        return private(render(request, "problem.html", problem, status=error.status))
    is_open = not own.result.judgment.certain
    context = {
        **_group_context(
            own.published, own.group, own.sex, None if is_open else own.skin, None if is_open else own.degree
        ),
        "analysis_id": analysis_id,
        "open": is_open,
        "skin": type_word(own.result.skin),
        "degree": label_word(GRADES[own.degree]),
        "place": own.place and place_percents(own.place),
        "wider": own.group and (own.group.sex, own.group.age) != (own.sex, own.age),
        "result_is_demo": own.result.demo,
    }
    return private(render(request, "pages/statistics.html", context))


def _group_context(
    published: StatisticsByGroup,
    group: Group | None,
    sex: str | None,
    skin: str | None = None,
    degree: int | None = None,
) -> dict[str, Any]:
    return {
        "published": published,
        "group": group,
        "grades": [label_word(grade) for grade in GRADES],
        "min_group_size": MIN_GROUP_SIZE,
        **(
            {
                "name": group_name(group),
                "common_degree": label_word(GRADES[group.most_common_degree]),
                "common_percent": round(100 * group.preds[group.most_common_degree]),
                "skins": skin_bars(group, skin),
                "degrees": degree_bars(group, degree),
                "ages_of": age_bars(published, sex if group.sex else None),
            }
            if group
            else {}
        ),
    }
