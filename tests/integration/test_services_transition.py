"""The one table of moves, and the one function that makes them."""

from __future__ import annotations

import uuid

import pytest
from django.db.models import Q

from backend.analyses.models import Analysis
from backend.analyses.services.transition import analysis_move
from backend.analyses.states import ENDED, WAITING, Status, sources
from tests.support.analyses import fresh, queued

pytestmark = [pytest.mark.database, pytest.mark.django_db, pytest.mark.usefixtures("storage")]

#: Every move that there is. What is not here does not happen.
MOVES = {
    ("queued", "running"),
    ("queued", "canceled"),
    ("queued", "expired"),
    ("running", "succeeded"),
    ("running", "rejected"),
    ("running", "failed"),
    ("running", "canceled"),
    ("running", "queued"),
    ("failed", "queued"),
    ("canceled", "queued"),
}


def standing(status: str) -> Analysis:
    """An analysis that stands in this status, however it got there."""
    analysis = queued()
    Analysis.objects.filter(pk=analysis.pk).update(status=status)
    return analysis


@pytest.mark.parametrize("to", Status.values)
@pytest.mark.parametrize("from_", Status.values)
def test_a_move_is_made_if_the_table_has_it_and_else_refused(from_: str, to: str) -> None:
    analysis, other = standing(from_), standing(from_)
    moved = analysis_move(analysis.id, Status(to), code="moved")
    assert moved == ((from_, to) in MOVES)
    assert fresh(analysis).status == (to if moved else from_)
    assert fresh(analysis).code == ("moved" if moved else "")
    assert (fresh(other).status, fresh(other).code) == (from_, "")


def test_a_move_is_made_once() -> None:
    analysis = queued()
    assert analysis_move(analysis.id, Status.CANCELED)
    assert not analysis_move(analysis.id, Status.CANCELED)


def test_a_move_is_not_made_where_its_condition_does_not_hold() -> None:
    analysis = queued()
    assert not analysis_move(analysis.id, Status.RUNNING, only=Q(attempt=7))
    assert fresh(analysis).status == "queued"


def test_nobody_moves_what_is_not_there() -> None:
    assert not analysis_move(uuid.uuid4(), Status.RUNNING)


def test_every_status_waits_or_has_ended_and_none_does_both() -> None:
    assert set(Status) == WAITING | ENDED
    assert not WAITING & ENDED
    assert sources(Status.QUEUED) == {Status.RUNNING, Status.FAILED, Status.CANCELED}
