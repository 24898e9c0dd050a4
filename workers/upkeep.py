"""The upkeep worker and its schedule: `celery -A workers.upkeep worker …` and `celery -A workers.upkeep beat`.

Several of either do no harm: every change of state is a guarded UPDATE.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from celery import signals
from celery.apps.worker import Worker
from celery.schedules import schedule
from django.conf import settings

from backend.analyses.services.reaper import analyses_reap
from backend.analyses.services.retention import photos_purge
from backend.analyses.services.sharing import shares_sweep
from backend.operations.services import worker_started, workers_forget
from workers.app import app, task
from workers.heartbeat import keep_beating
from workers.selfcheck import selfcheck

ROLE = "upkeep"
QUEUE = "upkeep"

PURGE_SECONDS = min(60.0, settings.RETENTION_HOURS * 3600 / 10)
SWEEP_SECONDS = 3600.0  # What is swept shows nothing any more.


@task(queue=QUEUE)
def reap_analyses() -> str:
    workers_forget()
    return str(analyses_reap())


@task(queue=QUEUE)
def purge_photos() -> str:
    return str(photos_purge())


@task(queue=QUEUE)
def sweep_shares() -> str:
    return f"{shares_sweep()} swept"


class Every(schedule):
    """Every so many seconds, also after the clock was set back: a last run in the future was by another clock."""

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
    "sweep": {
        "task": "sweep_shares",
        "schedule": Every(SWEEP_SECONDS),
        "options": {"queue": QUEUE},
    },
}


@signals.worker_init.connect
def check(sender: Worker, **_: Any) -> None:
    selfcheck(sender, batches=False)
    worker_started(sender.hostname, role=ROLE)


keep_beating(app, ROLE)
