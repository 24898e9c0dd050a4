"""A long line: places, its length, and the plans of what is asked all the time, each on an index."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from backend.analyses.models import Analysis
from backend.analyses.selectors import queue
from backend.analyses.selectors.queue import (
    EXACT_LENGTH_LIMIT,
    EXACT_POSITION_LIMIT,
    forget_queue_snapshot,
    queue_outlook,
    queue_snapshot,
)
from backend.analyses.selectors.status import analysis_status
from backend.analyses.services.attempt import analysis_claim
from backend.analyses.services.control import analysis_cancel
from backend.analyses.states import Status

pytestmark = [pytest.mark.database, pytest.mark.django_db]

ROWS = EXACT_LENGTH_LIMIT + 500


@pytest.fixture(autouse=True)
def fresh_snapshot() -> Iterator[None]:
    """No test goes by the line of another one."""
    forget_queue_snapshot()
    yield
    forget_queue_snapshot()


@pytest.fixture
def long_queue(db: None) -> list[uuid.UUID]:
    """The ids of `ROWS` photos in the order of the line; the database knows how many there are."""
    now = timezone.now()
    ids = [uuid.uuid4() for _ in range(ROWS)]
    Analysis.objects.bulk_create(
        Analysis(
            id=key, photo="a.jpg", sex="male", age="20s", consented_at=now, fingerprint="", created_at=now,
            queued_at=now - timedelta(seconds=ROWS - place), purge_at=now + timedelta(days=1),
        )
        for place, key in enumerate(ids)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return ids


def test_every_place_is_told_as_it_is(long_queue: list[uuid.UUID]) -> None:
    near_limit = range(EXACT_POSITION_LIMIT - 1, EXACT_POSITION_LIMIT + 3)
    for place in (1, 2, *near_limit, EXACT_LENGTH_LIMIT, ROWS - 1, ROWS):
        assert analysis_status(long_queue[place - 1]).position == place


def test_positions_near_the_head_are_live_and_cached_behind(long_queue: list[uuid.UUID]) -> None:
    far = long_queue[-1]
    assert analysis_status(far).position == ROWS
    analysis_cancel(long_queue[0])
    assert analysis_status(long_queue[1]).position == 1
    forget_queue_snapshot()
    assert analysis_status(far).position == ROWS - 1


def test_what_came_since_the_last_look_stands_behind_all_of_it(long_queue: list[uuid.UUID]) -> None:
    queue_snapshot()
    late = Analysis.objects.get(pk=long_queue[0])
    late.pk, late.queued_at = uuid.uuid4(), timezone.now()
    late.save(force_insert=True)
    assert analysis_status(late.pk).position == ROWS + 1


def test_in_a_very_long_queue_a_place_is_wrong_by_less_than_a_step(
    long_queue: list[uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "MILESTONES", 100)
    step = 1 + ROWS // 100
    for place in range(EXACT_POSITION_LIMIT + step, ROWS + 1, 37):
        told = analysis_status(long_queue[place - 1]).position
        assert told is not None
        assert abs(told - place) <= step


@pytest.mark.parametrize("rows", [0, 1, EXACT_LENGTH_LIMIT - 1, EXACT_LENGTH_LIMIT, ROWS])
def test_the_length_of_the_line_is_told_as_it_is(long_queue: list[uuid.UUID], rows: int) -> None:
    Analysis.objects.filter(pk__in=long_queue[rows:]).delete()
    assert queue_outlook().waiting == rows


def test_a_queue_is_full_from_the_first_photo_past_its_limit(long_queue: list[uuid.UUID], settings: Any) -> None:
    settings.QUEUE_LIMIT = ROWS
    assert not queue_outlook().accepting
    settings.QUEUE_LIMIT = ROWS + 1
    assert queue_outlook().accepting


# Plans


def plans(call: Callable[[], object]) -> list[str]:
    """How the database goes about each statement that `call` sends."""
    sent: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, parameters: Any, *told: Any) -> Any:
        sent.append((sql, parameters))
        return execute(sql, parameters, *told)

    with connection.execute_wrapper(note):
        call()
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    found = []
    with connection.cursor() as cursor:
        for sql, parameters in sent:
            if sql.lstrip().startswith(("SELECT", "UPDATE")):
                cursor.execute(f"{explain} {sql}", parameters)
                found.append("\n".join(str(row[-1]) for row in cursor.fetchall()))
    return found


def reads_all(plan: str) -> bool:
    """Whether it reads the table of analyses from end to end."""
    return any(
        "Seq Scan on analyses_analysis" in step or step.startswith(("SCAN analyses_analysis", "SCAN it", "SCAN other"))
        for step in plan.splitlines()
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda key: analysis_status(key),
        lambda key: analysis_claim(key, worker="model@one"),
        lambda key: analysis_cancel(key),
        lambda key: queue_outlook(),
    ],
    ids=["poll", "claim", "cancel", "queue"],
)
def test_what_is_asked_all_the_time_goes_along_an_index(long_queue: list[uuid.UUID], call: Any) -> None:
    # As in life most have ended: where all wait, to read all of them is the way.
    Analysis.objects.filter(pk__in=long_queue[EXACT_POSITION_LIMIT:]).update(status=Status.SUCCEEDED)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    found = plans(lambda: call(long_queue[EXACT_POSITION_LIMIT // 2]))
    assert found
    for plan in found:
        assert not reads_all(plan), plan


def test_a_place_near_the_head_is_counted_along_the_line(long_queue: list[uuid.UUID]) -> None:
    (plan,) = plans(lambda: analysis_status(long_queue[EXACT_POSITION_LIMIT // 2]))
    assert "analysis_queue" in plan


def test_a_plan_without_an_index_would_be_noticed(long_queue: list[uuid.UUID]) -> None:
    (plan,) = plans(lambda: Analysis.objects.filter(fingerprint="x").count())
    assert reads_all(plan), plan
