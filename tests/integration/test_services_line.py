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
from backend.analyses.selectors import line as lines
from backend.analyses.selectors.line import NEAR, line, line_forget
from backend.analyses.selectors.queue import COUNTED, queue_outlook
from backend.analyses.selectors.status import analysis_status
from backend.analyses.services.attempt import analysis_claim
from backend.analyses.services.control import analysis_cancel
from backend.analyses.states import Status

pytestmark = [pytest.mark.database, pytest.mark.django_db]

ROWS = COUNTED + 500


@pytest.fixture(autouse=True)
def looked_at_anew() -> Iterator[None]:
    """No test goes by the line of another one."""
    line_forget()
    yield
    line_forget()


@pytest.fixture
def long_line(db: None) -> list[uuid.UUID]:
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


def test_every_place_is_told_as_it_is(long_line: list[uuid.UUID]) -> None:
    for place in (1, 2, NEAR - 1, NEAR, NEAR + 1, NEAR + 2, COUNTED, ROWS - 1, ROWS):
        assert analysis_status(long_line[place - 1]).position == place


def test_near_the_head_a_place_is_of_this_moment_and_behind_of_the_last_look(long_line: list[uuid.UUID]) -> None:
    far = long_line[-1]
    assert analysis_status(far).position == ROWS
    analysis_cancel(long_line[0])
    assert analysis_status(long_line[1]).position == 1
    line_forget()
    assert analysis_status(far).position == ROWS - 1


def test_what_came_since_the_last_look_stands_behind_all_of_it(long_line: list[uuid.UUID]) -> None:
    line()
    late = Analysis.objects.get(pk=long_line[0])
    late.pk, late.queued_at = uuid.uuid4(), timezone.now()
    late.save(force_insert=True)
    assert analysis_status(late.pk).position == ROWS + 1


def test_in_a_very_long_line_a_place_is_wrong_by_less_than_a_step(
    long_line: list[uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "MILESTONES", 100)
    step = 1 + ROWS // 100
    for place in range(NEAR + step, ROWS + 1, 37):
        told = analysis_status(long_line[place - 1]).position
        assert told is not None
        assert abs(told - place) <= step


@pytest.mark.parametrize("rows", [0, 1, COUNTED - 1, COUNTED, ROWS])
def test_the_length_of_the_line_is_told_as_it_is(long_line: list[uuid.UUID], rows: int) -> None:
    Analysis.objects.filter(pk__in=long_line[rows:]).delete()
    assert queue_outlook().waiting == rows


def test_a_queue_is_full_from_the_first_photo_past_its_limit(long_line: list[uuid.UUID], settings: Any) -> None:
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
def test_what_is_asked_all_the_time_goes_along_an_index(long_line: list[uuid.UUID], call: Any) -> None:
    # As in life most have ended: where all wait, to read all of them is the way.
    Analysis.objects.filter(pk__in=long_line[NEAR:]).update(status=Status.SUCCEEDED)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    found = plans(lambda: call(long_line[NEAR // 2]))
    assert found
    for plan in found:
        assert not reads_all(plan), plan


def test_a_place_near_the_head_is_counted_along_the_line(long_line: list[uuid.UUID]) -> None:
    (plan,) = plans(lambda: analysis_status(long_line[NEAR // 2]))
    assert "analysis_queue" in plan


def test_a_plan_without_an_index_would_be_noticed(long_line: list[uuid.UUID]) -> None:
    (plan,) = plans(lambda: Analysis.objects.filter(fingerprint="x").count())
    assert reads_all(plan), plan
