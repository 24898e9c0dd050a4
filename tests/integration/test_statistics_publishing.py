"""Counting all results, for staff exactly and for everybody by group."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from backend.analyses.models import Age, Human, Sex
from backend.analyses.services.control import analysis_erase
from backend.statistics.models import BarKind, Publication, PublishedCount, Tally
from backend.statistics.selectors.groups import Group, statistics_published
from backend.statistics.services.publishing import MIN_GROUP_SIZE, PUBLISH_INTERVAL, statistics_publish
from tests.support import analyses
from tests.support.humans import analyzed, humans
from tests.support.threads import at_once

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def group(sex: str | None = Sex.FEMALE, age: str | None = Age.THIRTIES) -> Group | None:
    return statistics_published().group(sex, age)


def test_a_group_is_published_about_as_it_is() -> None:
    humans(600, "지성", "경증")
    humans(300, "건성", "양호")
    humans(100, "비듬성", "중증")
    assert statistics_publish() == 1000
    shown = group()
    assert shown is not None
    assert shown.results == pytest.approx(1000, abs=25)
    assert shown.preds == pytest.approx((0.3, 0.6, 0.0, 0.1), abs=0.02)
    assert shown.skins["oily"] == pytest.approx(0.6, abs=0.02)
    assert shown.median == 1
    place = shown.place(1)
    assert (place.lower, place.same, place.higher) == pytest.approx((0.3, 0.6, 0.1), abs=0.02)
    assert sum(shown.skins.values()) == pytest.approx(1)


def test_fewer_than_twenty_are_not_shown() -> None:
    humans(MIN_GROUP_SIZE - 1)
    statistics_publish()
    assert group() is None
    assert not PublishedCount.objects.exists()


def test_noise_lifts_no_group_over_the_limit_and_totals_reach_it() -> None:
    """Of groups at the limit, those whose noise takes them below it are withheld as well."""
    for sex in Sex:
        for age in Age:
            humans(MIN_GROUP_SIZE, sex=sex, age=age)
    statistics_publish()
    sums: dict[tuple[str, str, str], int] = {}
    for count in PublishedCount.objects.all():
        key = (count.sex, count.age, count.kind)
        sums[key] = sums.get(key, 0) + count.count
    assert 0 < len(sums) < len(Sex) * len(Age) * len(BarKind)
    assert min(sums.values()) >= MIN_GROUP_SIZE


def test_what_is_withheld_is_in_no_sum_either() -> None:
    humans(100, sex=Sex.FEMALE)
    statistics_publish()
    before = (group(None, None), group(Sex.FEMALE, None), group(None, Age.THIRTIES))
    humans(MIN_GROUP_SIZE - 1, "비듬성", "중증", sex=Sex.MALE)
    humans(MIN_GROUP_SIZE - 1, "비듬성", "중증", age=Age.TWENTIES)
    statistics_publish(now=True)
    assert (group(None, None), group(Sex.FEMALE, None), group(None, Age.THIRTIES)) == before


def test_who_has_too_small_a_group_is_shown_the_next_larger_one() -> None:
    humans(100, sex=Sex.FEMALE, age=Age.THIRTIES)
    humans(100, sex=Sex.MALE, age=Age.THIRTIES)
    statistics_publish()
    shown = statistics_published()

    def nearest(sex: str, age: str) -> tuple[str | None, str | None]:
        found = shown.nearest(sex, age)
        assert found is not None
        return found.sex, found.age

    assert nearest(Sex.FEMALE, Age.THIRTIES) == (Sex.FEMALE, Age.THIRTIES)
    assert nearest(Sex.FEMALE, Age.EIGHTIES) == (Sex.FEMALE, None)
    assert nearest(Sex.UNDISCLOSED, Age.EIGHTIES) == (None, None)


def test_counting_again_tells_nothing_new_of_what_has_not_changed() -> None:
    humans(200)
    statistics_publish()
    first = list(PublishedCount.objects.order_by("kind", "value").values_list("kind", "value", "count"))
    for _ in range(3):
        statistics_publish(now=True)
    assert list(PublishedCount.objects.order_by("kind", "value").values_list("kind", "value", "count")) == first


def test_it_is_counted_once_a_day() -> None:
    humans(30)
    assert statistics_publish() == 30
    humans(30)
    assert statistics_publish() is None
    assert Tally.objects.get().count == 30
    Publication.objects.update(published_at=timezone.now() - PUBLISH_INTERVAL - timedelta(seconds=1))
    assert statistics_publish() == 60
    assert statistics_publish() is None
    Publication.objects.update(published_at=timezone.now() + timedelta(hours=25))
    assert statistics_publish() == 60, "the clock was set back"


def test_without_any_result_the_day_does_not_begin() -> None:
    assert statistics_publish() is None
    humans(1)
    assert statistics_publish() == 1


@pytest.mark.django_db(transaction=True)
def test_of_several_at_once_one_publishes() -> None:
    humans(40)
    counted = at_once(statistics_publish, times=4)
    assert sorted(counted, key=str) == [40, None, None, None]
    assert Tally.objects.get().count == 40


def test_tallies_are_exact_by_month_and_weights() -> None:
    analyzed(humans(3), datetime(2026, 10, 31, 23, 59, tzinfo=UTC))
    analyzed(humans(2), datetime(2026, 11, 1, tzinfo=UTC))
    analyzed(humans(4), datetime(2026, 11, 1, tzinfo=UTC), demo=True)
    humans(1)
    statistics_publish()
    told = set(Tally.objects.values_list("month", "demo", "skin", "pred", "count"))
    assert told == {
        (date(2026, 10, 1), False, "oily", 1, 3),
        (date(2026, 11, 1), False, "oily", 1, 2),
        (date(2026, 11, 1), True, "oily", 1, 4),
        (None, False, "oily", 1, 1),
    }


def test_demo_weights_count_only_until_there_is_a_real_result() -> None:
    analyzed(humans(50), timezone.now(), demo=True)
    statistics_publish()
    assert statistics_published().demo
    assert group() is not None
    humans(1)
    statistics_publish(now=True)
    assert not statistics_published().demo
    assert group() is None


def test_words_that_nobody_knows_are_not_counted() -> None:
    Human.objects.create(sex="여", age="30대", skin="없는 유형", pred="경증")
    humans(25)
    assert statistics_publish() == 25


def test_an_erased_result_is_gone_with_the_next_count(broker: object, storage: object) -> None:
    done = analyses.succeeded()
    statistics_publish()
    assert Tally.objects.get().count == 1
    analysis_erase(done.id)
    statistics_publish(now=True)
    assert not Tally.objects.exists()
