"""The upkeep worker and its schedule: `celery -A workers.upkeep worker …` and `celery -A workers.upkeep beat`.

Several of either do no harm: every change of state is a guarded UPDATE.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from celery import signals
from celery.apps.worker import Worker
from celery.schedules import schedule
from django.conf import settings
from django.utils import timezone

from backend.analyses.services.reaper import analyses_reap
from backend.analyses.services.retention import photos_purge, write_ahead_log_wipe
from backend.analyses.services.sharing import shares_sweep
from backend.operations.health import REAPING
from backend.operations.services import counts_forget, round_note, worker_started, workers_forget
from backend.operations.traces import traces_begin
from backend.products.services.counting import spent_forget
from backend.questions.services.asking import unanswered_sweep
from backend.statistics.services.publishing import statistics_publish
from workers.app import app, task
from workers.heartbeat import keep_beating
from workers.metrics import metrics_serve
from workers.selfcheck import selfcheck

ROLE = "upkeep"
QUEUE = "upkeep"

PURGE_SECONDS = min(60.0, settings.RETENTION_HOURS * 3600 / 10)
SWEEP_SECONDS = 3600.0  # What is swept shows nothing any more.
ORPHANS_SECONDS = 3600.0  # No younger than that are they, and a bucket of a million photos is a thousand pages long.
PUBLISH_SECONDS = 3600.0  # So often it is asked whether a day has passed since the last time.


@task(queue=QUEUE)
def reap_analyses() -> str:
    with _round(REAPING) as found:
        workers_forget()
        found |= asdict(analyses_reap())
    return _said(found)


@task(queue=QUEUE)
def purge_photos() -> str:
    with _round("purge") as found:
        found |= asdict(photos_purge(orphans=False))
        counts_forget()
        write_ahead_log_wipe()  # Also of what was erased on request since the last round.
    return _said(found)


@task(queue=QUEUE)
def sweep_orphans() -> str:
    with _round("orphans") as found:
        found |= asdict(photos_purge())
    return _said(found)


@task(queue=QUEUE)
def sweep_shares() -> str:
    with _round("sweep") as found:
        found["shares"] = shares_sweep()
        found["dedup_keys"] = spent_forget()
        found["questions"] = unanswered_sweep()
    return _said(found)


@task(queue=QUEUE)
def publish_statistics() -> str:
    with _round("statistics") as found:
        found["results"] = statistics_publish() or 0
    return _said(found)


@contextmanager
def _round(name: str) -> Iterator[dict[str, int]]:
    """A round whose end is noted with what it found; one that breaks off is not, so that it looks as it is: missing."""
    begun = time.monotonic()
    found: dict[str, int] = {}
    yield found
    round_note(name, seconds=time.monotonic() - begun, found=found)


def _said(found: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {word}" for word, number in found.items())


BEGAN, BEGAN_AT = time.monotonic(), timezone.now()


def steady_now() -> datetime:
    """The time as it was when this process began, and what has passed since: by a clock that nobody sets."""
    return BEGAN_AT + timedelta(seconds=time.monotonic() - BEGAN)


class Every(schedule):
    """Every so many seconds, whatever happens to the clock.

    Celery notes the time of the next round by the clock of the day: once that was set back by an hour, nobody would
    reap for an hour. And a last run in the future, which an earlier process wrote down, was by another clock.
    """

    def now(self) -> datetime:
        return (self.nowfun or steady_now)()

    def remaining_estimate(self, last_run_at: datetime) -> timedelta:
        remaining = super().remaining_estimate(last_run_at)
        return remaining if remaining <= self.run_every else timedelta(0)


# No round expires: by the clock of a host that is ahead of the schedule's, every round would have, and nobody would
# reap. Those that gather while no upkeep worker is there are done in a moment.
app.conf.beat_schedule = {
    "reap": {
        "task": "reap_analyses",
        "schedule": Every(settings.REAP_SECONDS),
        "options": {"queue": QUEUE},
    },
    "purge": {
        "task": "purge_photos",
        "schedule": Every(PURGE_SECONDS),
        "options": {"queue": QUEUE},
    },
    "orphans": {
        "task": "sweep_orphans",
        "schedule": Every(ORPHANS_SECONDS),
        "options": {"queue": QUEUE},
    },
    "sweep": {
        "task": "sweep_shares",
        "schedule": Every(SWEEP_SECONDS),
        "options": {"queue": QUEUE},
    },
    "statistics": {
        "task": "publish_statistics",
        "schedule": Every(PUBLISH_SECONDS),
        "options": {"queue": QUEUE},
    },
}


@signals.worker_init.connect
def check(sender: Worker, **_: Any) -> None:
    selfcheck(sender, batches=False)
    metrics_serve(settings.METRICS_PORT, settings.METRICS_HOST)
    traces_begin(ROLE)
    worker_started(sender.hostname, role=ROLE)


@signals.worker_ready.connect
def reap_at_once(**_: Any) -> None:
    """What was left lying does not wait for the schedule, and neither does whoever asks whether we are ready."""
    reap_analyses.apply_async(expires=settings.REAP_SECONDS)


keep_beating(app, ROLE)
