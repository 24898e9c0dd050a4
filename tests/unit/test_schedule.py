"""The schedule of the upkeep: what is due, whatever happened to the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from workers.app import app
from workers.upkeep import Every

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "due"),
    [
        (timedelta(seconds=4), False),
        (timedelta(seconds=11), True),
        (timedelta(0), False),
        (-timedelta(hours=1), True),  # The clock was set back by an hour since.
    ],
)
def test_a_round_is_due_by_its_interval_and_after_the_clock_was_set_back(ago: timedelta, due: bool) -> None:
    every = Every(10.0, nowfun=lambda: NOON, app=app)
    state = every.is_due(NOON - ago)
    assert state.is_due is due
    assert 0 < state.next <= 10


def test_no_round_expires_by_the_clock_of_another_host() -> None:
    assert not [name for name, entry in app.conf.beat_schedule.items() if "expires" in entry.get("options", {})]
    assert {type(entry["schedule"]) for entry in app.conf.beat_schedule.values()} == {Every}
