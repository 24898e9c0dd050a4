"""The upkeep worker and its schedule: `celery -A workers.upkeep worker …` and `celery -A workers.upkeep beat`.

Several of either do no harm, because every change of state is a guarded UPDATE.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from celery import chain, signals
from celery.apps.worker import Worker
from celery.schedules import schedule
from django.conf import settings
from django.utils import timezone

from backend.analyses.services.reaper import analyses_reap
from backend.analyses.services.retention import photos_purge, write_ahead_log_wipe
from backend.analyses.services.sharing import shares_sweep
from backend.operations.health import REAP, UPKEEP_ROLE
from backend.operations.invariants import invariants_check
from backend.operations.services import delete_expired_counts, delete_stale_workers, record_run, register_worker
from backend.operations.task_names import UPKEEP_QUEUE
from backend.operations.tracing import start_tracing
from backend.products.services.counting import delete_expired_dedup_keys
from backend.questions.services.asking import unanswered_sweep
from backend.statistics.services.publishing import statistics_publish
from workers.app import app, task
from workers.heartbeat import keep_beating
from workers.metrics import serve_metrics
from workers.selfcheck import selfcheck

PURGE_SECONDS = min(60.0, settings.RETENTION_HOURS * 3600 / 10)
SWEEP_SECONDS = 3600.0  # Expired rows are not shown any more, so there is no hurry.
ORPHANS_SECONDS = 3600.0  # Orphans are at least this old, and listing a large bucket is expensive.
PUBLISH_SECONDS = 3600.0  # How often to check whether a day has passed since the last publication.
INVARIANTS_SECONDS = 3600.0  # It reads all rows and lists all photos.


@task(queue=UPKEEP_QUEUE)
def reap_analyses() -> str:
    with _run(REAP) as counts:
        delete_stale_workers()
        counts |= asdict(analyses_reap())
    return _summary(counts)


@task(queue=UPKEEP_QUEUE)
def purge_photos() -> str:
    with _run("purge") as counts:
        counts |= asdict(photos_purge(orphans=False))
        delete_expired_counts()
        write_ahead_log_wipe()  # Also of rows that were erased on request since the last run.
    return _summary(counts)


@task(queue=UPKEEP_QUEUE)
def sweep_orphans() -> str:
    with _run("orphans") as counts:
        counts |= asdict(photos_purge())
    return _summary(counts)


@task(queue=UPKEEP_QUEUE)
def sweep_shares() -> str:
    with _run("sweep") as counts:
        counts["shares"] = shares_sweep()
        counts["dedup_keys"] = delete_expired_dedup_keys()
        counts["questions"] = unanswered_sweep()
    return _summary(counts)


@task(queue=UPKEEP_QUEUE)
def publish_statistics() -> str:
    with _run("statistics") as counts:
        counts["results"] = statistics_publish() or 0
    return _summary(counts)


@task(queue=UPKEEP_QUEUE)
def check_invariants() -> str:
    with _run("invariants") as counts:
        counts |= {"violations": sum(len(checked.violations) for checked in invariants_check(repair=True))}
    return _summary(counts)


@contextmanager
def _run(name: str) -> Iterator[dict[str, int]]:
    """Record a run with its counts when it ends. A run that fails is not recorded, so it is missed by health checks."""
    started = time.monotonic()
    counts: dict[str, int] = {}
    yield counts
    record_run(name, seconds=time.monotonic() - started, counts=counts)


def _summary(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())


STARTED, STARTED_AT = time.monotonic(), timezone.now()


def steady_now() -> datetime:
    """The start time of this process plus the monotonic time since, which setting the clock does not change."""
    return STARTED_AT + timedelta(seconds=time.monotonic() - STARTED)


class Every(schedule):
    """A fixed interval that is immune to changes of the clock.

    Celery schedules by wall-clock time: if the clock is set back by an hour, the reaper would not run for an hour. And
    a last run in the future, stored by an earlier process, was by another clock.
    """

    def now(self) -> datetime:
        return (self.nowfun or steady_now)()

    def remaining_estimate(self, last_run_at: datetime) -> timedelta:
        remaining = super().remaining_estimate(last_run_at)
        return remaining if remaining <= self.run_every else timedelta(0)


# No message expires: on a worker whose clock is ahead of the scheduler's, every one would, and the reaper would never
# run. Messages that pile up without an upkeep worker are done in a moment.
app.conf.beat_schedule = {
    "reap": {
        "task": reap_analyses.name,
        "schedule": Every(settings.REAP_SECONDS),
        "options": {"queue": UPKEEP_QUEUE},
    },
    "purge": {
        "task": purge_photos.name,
        "schedule": Every(PURGE_SECONDS),
        "options": {"queue": UPKEEP_QUEUE},
    },
    "orphans": {
        "task": sweep_orphans.name,
        "schedule": Every(ORPHANS_SECONDS),
        "options": {"queue": UPKEEP_QUEUE},
    },
    "sweep": {
        "task": sweep_shares.name,
        "schedule": Every(SWEEP_SECONDS),
        "options": {"queue": UPKEEP_QUEUE},
    },
    "statistics": {
        "task": publish_statistics.name,
        "schedule": Every(PUBLISH_SECONDS),
        "options": {"queue": UPKEEP_QUEUE},
    },
    "invariants": {
        "task": check_invariants.name,
        "schedule": Every(INVARIANTS_SECONDS),
        "options": {"queue": UPKEEP_QUEUE},
    },
}


@signals.worker_init.connect
def check(sender: Worker, **_: Any) -> None:
    selfcheck(sender, batches=False)
    serve_metrics(settings.METRICS_PORT, settings.METRICS_HOST)
    start_tracing(UPKEEP_ROLE)
    register_worker(sender.hostname, role=UPKEEP_ROLE)


@signals.worker_ready.connect
def catch_up(**_: Any) -> None:
    """Do at once what an absence of upkeep left behind: neither abandoned analyses nor readiness wait for the schedule.

    Each task starts the next, so that the check does not count what the others are about to delete.
    """
    chain(*(task.si() for task in (reap_analyses, purge_photos, sweep_shares, check_invariants))).apply_async()


keep_beating(app, UPKEEP_ROLE)
