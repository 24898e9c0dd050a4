"""The upkeep worker and its schedule: `celery -A workers.upkeep worker …` and `celery -A workers.upkeep beat`.

Several of either do no harm: every change of state is a guarded UPDATE.
"""

from __future__ import annotations

from typing import Any

from celery import signals
from celery.apps.worker import Worker
from django.conf import settings

from backend.analyses.services.reaper import analyses_reap
from backend.analyses.services.retention import photos_purge
from backend.analyses.services.sharing import shares_sweep
from backend.operations.services import counts_forget, worker_started, workers_forget
from workers.app import app, task
from workers.heartbeat import keep_beating
from workers.selfcheck import selfcheck

ROLE = "upkeep"
QUEUE = "upkeep"

PURGE_SECONDS = min(60.0, settings.RETENTION_HOURS * 3600 / 10)
SWEEP_SECONDS = 3600.0  # What is swept shows nothing any more.
ORPHANS_SECONDS = 3600.0  # No younger than that are they, and a bucket of a million photos is a thousand pages long.


@task(queue=QUEUE)
def reap_analyses() -> str:
    workers_forget()
    return str(analyses_reap())


@task(queue=QUEUE)
def purge_photos() -> str:
    counts_forget()
    return str(photos_purge(orphans=False))


@task(queue=QUEUE)
def sweep_orphans() -> str:
    return str(photos_purge())


@task(queue=QUEUE)
def sweep_shares() -> str:
    return f"{shares_sweep()} swept"


# A round that nobody took before the next one is due has nothing to do any more: it expires.
app.conf.beat_schedule = {
    "reap": {
        "task": "reap_analyses",
        "schedule": settings.REAP_SECONDS,
        "options": {"queue": QUEUE, "expires": settings.REAP_SECONDS},
    },
    "purge": {
        "task": "purge_photos",
        "schedule": PURGE_SECONDS,
        "options": {"queue": QUEUE, "expires": PURGE_SECONDS},
    },
    "orphans": {
        "task": "sweep_orphans",
        "schedule": ORPHANS_SECONDS,
        "options": {"queue": QUEUE, "expires": ORPHANS_SECONDS},
    },
    "sweep": {
        "task": "sweep_shares",
        "schedule": SWEEP_SECONDS,
        "options": {"queue": QUEUE, "expires": SWEEP_SECONDS},
    },
}


@signals.worker_init.connect
def check(sender: Worker, **_: Any) -> None:
    selfcheck(sender, batches=False)
    worker_started(sender.hostname, role=ROLE)


keep_beating(app, ROLE)
