"""The model worker: `celery -A workers.model worker --pool threads …`, one process a device.

It checks its options, loads the seven models before the first message is taken, and beats. `--concurrency` is how
many threads it may have: it takes those that keep the device busy, so that other workers find the rest of the queue.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from celery import signals
from celery.apps.worker import Worker
from django.conf import settings

from backend.analyses.services.reaper import worker_leases_lapse
from backend.operations.services import worker_started
from backend.operations.traces import traces_begin
from workers.app import app, task
from workers.heartbeat import keep_beating
from workers.metrics import metrics_serve
from workers.residents import resident, residents_load
from workers.selfcheck import selfcheck

ROLE = "model"

log = structlog.get_logger(__name__)

__all__ = ["app"]


@task(queue="photos")
def analyse_photo(*, analysis_id: str) -> str:
    return resident().analyse(UUID(analysis_id))


@signals.worker_init.connect
def check_and_load(sender: Worker, **_: Any) -> None:
    """Raises SystemExit where anything fails. Celery only logs what else a receiver of its signals raises, and would
    go on to take message after message without any models.
    """
    selfcheck(sender, batches=True)
    try:
        worker_started(sender.hostname, role=ROLE)
        metrics_serve(settings.METRICS_PORT, settings.METRICS_HOST)
        # Celery makes its pool after this signal.
        sender.concurrency = residents_load(sender.hostname, sender.concurrency)
        traces_begin(ROLE)
        worker_leases_lapse(sender.hostname)
    except Exception as error:
        log.exception("worker_start_failed", worker=sender.hostname)
        raise SystemExit(f"This worker does not start: {error!r}") from error


@signals.worker_shutting_down.connect
def drain(sender: str, **_: Any) -> None:
    resident().batcher.drain()


keep_beating(app, ROLE, resident)
