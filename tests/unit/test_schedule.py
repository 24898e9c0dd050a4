"""The schedule of the upkeep: what is due, whatever happened to the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from celery import Celery
from celery.beat import Scheduler

from workers import upkeep
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


def test_a_clock_that_is_set_back_while_the_schedule_runs_delays_no_round(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(Scheduler, "producer", None)
    monkeypatch.setattr(Scheduler, "apply_entry", lambda _self, entry, **_: sent.append(entry.name))
    schedule = Scheduler(app, schedule={}, lazy=True)
    schedule.update_from_dict({"reap": {"task": "reap_analyses", "schedule": Every(10.0, app=app)}})
    assert 0 < schedule.tick() <= 10
    now = Celery.now
    monkeypatch.setattr(Celery, "now", lambda self: now(self) - timedelta(hours=1))
    assert 0 < schedule.tick() <= 10
    monkeypatch.setattr(upkeep, "STARTED", upkeep.STARTED - 11)
    schedule.tick()
    assert sent == ["reap"]


def test_no_round_expires_by_the_clock_of_another_host() -> None:
    assert not [name for name, entry in app.conf.beat_schedule.items() if "expires" in entry.get("options", {})]
    assert {type(entry["schedule"]) for entry in app.conf.beat_schedule.values()} == {Every}
