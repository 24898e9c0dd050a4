"""Shows and clicks of products: once a report, little of any one sender, and nothing of a person."""

from __future__ import annotations

from copy import copy
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Sum
from django.utils import timezone

from backend.analyses.errors import AnalysisErased, AnalysisUnknown, NoReportYet
from backend.analyses.models import Analysis
from backend.analyses.selectors.status import analysis_status
from backend.analyses.services.control import analysis_erase
from backend.operations import throttle
from backend.products.models import Click, DedupKey, Product, Show
from backend.products.selectors.evidence import evidence_before, rates
from backend.products.selectors.suggestions import Suggestions, suggestions
from backend.products.services.counting import COUNTING_PERIOD, click_count, delete_expired_dedup_keys, shows_count
from tests.products.catalog import product
from tests.support.analyses import queued, succeeded
from tests.support.threads import at_once

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("storage", "broker"),
]

OILY = (0, 2, 0, 0, 1, 0)  #: 지성, 중등도


@pytest.fixture
def shelf() -> list[Product]:
    return [product(f"product {number}") for number in range(4)]


def looked(analysis: Analysis, sender: str = "10.0.0.1") -> Suggestions:
    shown = suggestions(analysis_status(analysis.pk))
    shows_count(analysis.pk, shown, sender)
    return shown


def shows() -> int:
    return Show.objects.aggregate(all=Sum("shows"))["all"] or 0


def test_a_click_is_stored_with_what_it_was_for_and_nothing_of_whom(shelf: list[Product]) -> None:
    analysis = succeeded(OILY)
    looked(analysis)
    assert click_count(analysis.pk, shelf[0], "10.0.0.1")
    click = Click.objects.get()
    assert (click.product, click.skin, click.pred, click.sex, click.age) == (shelf[0], "지성", "중등도", "여", "30대")
    assert (click.at.minute, click.at.second, click.at.microsecond) == (0, 0, 0)
    assert timezone.now() - click.at < timedelta(hours=1, seconds=5)
    assert {field.name for field in Click._meta.get_fields()} == {
        "id", "product", "skin", "pred", "sex", "age", "at",
    }  # fmt: skip
    assert {field.name for field in DedupKey._meta.get_fields()} == {"digest", "ends_at"}
    assert not {str(analysis.pk), analysis.pk.hex} & set(DedupKey.objects.values_list("digest", flat=True))


def test_shows_and_clicks_count_once_per_report(shelf: list[Product]) -> None:
    analysis = succeeded(OILY)
    for sender in ("10.0.0.1", "10.0.0.1", "10.0.0.2"):
        looked(analysis, sender)
        click_count(analysis.pk, shelf[0], sender)
    assert (shows(), Click.objects.count()) == (4, 1)
    assert click_count(analysis.pk, shelf[1], "10.0.0.1")
    assert Click.objects.count() == 2


def test_of_many_who_click_at_once_one_counts(shelf: list[Product]) -> None:
    analysis = succeeded(OILY)
    shown = suggestions(analysis_status(analysis.pk))
    assert at_once(lambda: shows_count(analysis.pk, shown, "10.0.0.1"), times=6).count(True) == 1
    assert shows() == 4
    assert at_once(lambda: click_count(analysis.pk, shelf[0], "10.0.0.1"), times=6).count(True) == 1
    assert not click_count(analysis.pk, shelf[0], "10.0.0.2")
    assert Click.objects.count() == 1


def test_one_sender_with_many_reports_counts_for_little(shelf: list[Product]) -> None:
    for number in range(12):
        analysis = succeeded(OILY)
        looked(analysis, "10.0.0.1")
        click_count(analysis.pk, shelf[0], "10.0.0.1")
        if number == 0:
            assert Click.objects.count() == 1
    assert (shows(), Click.objects.count()) == (5 * 4, 1)
    other = succeeded(OILY)
    looked(other, "10.0.0.2")
    assert click_count(other.pk, shelf[0], "10.0.0.2")
    assert (shows(), Click.objects.count()) == (6 * 4, 2)


def test_the_next_day_a_sender_counts_again(shelf: list[Product], monkeypatch: pytest.MonkeyPatch) -> None:
    now = throttle.time.time
    for day in range(3):
        monkeypatch.setattr(throttle.time, "time", lambda day=day: now() + 86_400 * day)
        analysis = succeeded(OILY)
        looked(analysis)
        assert click_count(analysis.pk, shelf[0], "10.0.0.1")


def test_a_click_on_what_was_not_suggested_or_not_shown_does_not_count(shelf: list[Product]) -> None:
    analysis = succeeded(OILY)
    foreign = product("for others", suits_types=["dry"], suits_signs=[])
    assert not click_count(analysis.pk, shelf[0], "10.0.0.1"), "no one has seen it"
    looked(analysis)
    assert not click_count(analysis.pk, foreign, "10.0.0.1")
    assert not Click.objects.exists()
    assert click_count(analysis.pk, shelf[0], "10.0.0.1")


def test_an_old_report_no_longer_counts_and_its_usage_is_deleted(shelf: list[Product]) -> None:
    analysis, later = succeeded(OILY), succeeded(OILY)
    looked(analysis)
    looked(later)
    assert delete_expired_dedup_keys() == 0
    Analysis.objects.filter(pk=analysis.pk).update(finished_at=timezone.now() - COUNTING_PERIOD)
    DedupKey.objects.filter(pk=DedupKey.objects.first().pk).update(ends_at=timezone.now())  # type: ignore[union-attr]
    assert not click_count(analysis.pk, shelf[0], "10.0.0.1")
    before = shows()
    looked(analysis)
    assert shows() == before
    assert delete_expired_dedup_keys() == 1
    assert DedupKey.objects.count() == 1


def test_there_is_nothing_to_click_without_a_report(shelf: list[Product]) -> None:
    analysis, waiting = succeeded(OILY), queued()
    looked(analysis)
    analysis_erase(analysis.pk)
    with pytest.raises(AnalysisErased):
        click_count(analysis.pk, shelf[0], "10.0.0.1")
    with pytest.raises(NoReportYet):
        click_count(waiting.pk, shelf[0], "10.0.0.1")
    with pytest.raises(AnalysisUnknown):
        click_count(type(analysis.pk)(int=1), shelf[0], "10.0.0.1")
    assert not Click.objects.exists()


def test_where_nobody_counts_senders_nothing_is_learned(shelf: list[Product], settings: Any) -> None:
    settings.CELERY_BROKER_URL = "sqs://"
    analysis = succeeded(OILY)
    looked(analysis)
    assert not click_count(analysis.pk, shelf[0], "10.0.0.1")
    assert not Show.objects.exists()


def test_clicks_change_the_order_only_of_reports_from_the_next_day_on(
    shelf: list[Product],
) -> None:
    for number in range(4, 12):
        product(f"product {number}")
    analysis = succeeded(OILY)
    first = [one.product for one in looked(analysis).suggested]
    assert len(first) == 4
    liked = product("liked by all")
    Show.objects.create(product=liked, skin="지성", day=timezone.localdate(), shows=2000)
    click = Click(product=liked, skin="지성", pred="경증", sex="남", age="20대", at=timezone.now())
    # Clicked by a fifth alone, one of the others was drawn higher in one run of many.
    Click.objects.bulk_create([copy(click) for _ in range(1800)])
    again = [one.product for one in suggestions(analysis_status(analysis.pk)).suggested]
    assert [one for one in again if one != liked] == [one for one in first if one in again]
    Analysis.objects.filter(pk=analysis.pk).update(finished_at=timezone.now() + timedelta(days=1))
    assert suggestions(analysis_status(analysis.pk)).suggested[0].product == liked


def test_evidence_is_of_one_type_and_of_the_last_days_alone(shelf: list[Product]) -> None:
    today = timezone.localdate()
    for skin, ago, number in (("지성", 1, 10), ("지성", 89, 5), ("지성", 91, 100), ("지성", 0, 50), ("건성", 1, 7)):
        Show.objects.create(product=shelf[0], skin=skin, day=today - timedelta(days=ago), shows=number)
    Click.objects.create(
        product=shelf[0], skin="지성", pred="경증", sex="남", age="20대", at=timezone.now() - timedelta(days=1)
    )
    Click.objects.create(product=shelf[0], skin="지성", pred="경증", sex="남", age="20대", at=timezone.now())
    [tally] = evidence_before("지성", today).values()
    assert (tally.shows, tally.clicks) == (15, 1)
    assert {(rate.skin, rate.shows, rate.clicks) for rate in rates()} == {("지성", 165, 2), ("건성", 7, 0)}
    assert {(rate.skin, rate.shows) for rate in rates("지성", 30)} == {("지성", 60)}
