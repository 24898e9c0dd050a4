"""The heartbeat of a worker: renews its leases, and records that it is alive only if it really consumes messages.

1. Ping itself through the broker: only a working consumer answers. An open socket proves nothing, as consumers may
   stall after a reconnect (celery #8030, #8384, #10205).
2. If the ping was answered, update the worker's row.
3. Renew the leases of its claims, even without a broker, unless the device is stuck.
4. Exit, for the supervisor to start a new process, if the device or the consumer is stuck.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog
from celery import Celery, signals
from django.conf import settings
from django.db import DatabaseError, close_old_connections

from backend.analyses.services.attempt import claims_renew
from backend.operations.broker_errors import BROKER_ERRORS
from backend.operations.services import record_heartbeat, unregister_worker
from backend.operations.tracing import stop_tracing
from workers.exit import exit_worker

if TYPE_CHECKING:  # It imports torch, which a worker without models does not need.
    from workers.analyst import Analyst

log = structlog.get_logger(__name__)

#: A consumer without a broker waits for up to 32 s between two connection attempts: only a longer silence, while the
#: broker answers others, means that it is stuck.
CONSUMER_STUCK_SECONDS = max(90.0, 2 * settings.LEASE_SECONDS)
DEVICE_STUCK_SECONDS = 2 * settings.LEASE_SECONDS
#: Wait for a running beat when the worker exits.
STOP_SECONDS = 3.0


class Heartbeat(threading.Thread):
    """Beats every `settings.HEARTBEAT_SECONDS` until stopped; `analyst` is None for a worker without models."""

    def __init__(self, app: Celery, name: str, role: str, analyst: Analyst | None = None) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self.app = app
        self.node = name
        self.role = role
        self.analyst = analyst
        self._stop_asked = threading.Event()
        self._answered_at = time.monotonic()

    def run(self) -> None:
        while True:
            for step in (self._record, self._renew, self._exit_if_stuck):
                self._attempt(step)
            if self._stop_asked.wait(settings.HEARTBEAT_SECONDS):
                return

    def stop(self) -> None:
        self._stop_asked.set()

    def _attempt(self, step: Callable[[], None]) -> None:
        """Run a step. No error may end the heartbeat, least of all an outage of database or broker."""
        close_old_connections()
        try:
            step()
        except (DatabaseError, *BROKER_ERRORS) as error:
            log.warning("heartbeat_skipped", step=step.__name__, cause=repr(error))
        except Exception:
            log.exception("heartbeat_failed", step=step.__name__)
        finally:
            close_old_connections()

    def _record(self) -> None:
        try:
            pong = self._ping()
        except BROKER_ERRORS:
            self._answered_at = time.monotonic()  # Without a broker, the consumer may still be fine.
            raise
        if not pong:
            log.warning("ping_unanswered", worker=self.node)
            return
        self._answered_at = time.monotonic()
        if self.analyst is None:
            record_heartbeat(self.node, role=self.role)
            return
        predictor, batcher = self.analyst.predictor, self.analyst.batcher
        record_heartbeat(
            self.node,
            role=self.role,
            models_resident=predictor.models_resident,
            bundle=predictor.bundle.reference,
            demo=predictor.bundle.manifest.demo,
            device=predictor.device,
            max_batch=batcher.max_batch,
            photo_seconds=batcher.photo_seconds,
        )

    def _ping(self) -> bool:
        return bool(self.app.control.ping(destination=[self.node], timeout=min(2.0, settings.HEARTBEAT_SECONDS)))

    def _renew(self) -> None:
        if self.analyst is not None and self.analyst.batcher.stalled_seconds < settings.LEASE_SECONDS:
            claims_renew(self.analyst.held)

    def _exit_if_stuck(self) -> None:
        if self.analyst is not None and self.analyst.batcher.stalled_seconds > DEVICE_STUCK_SECONDS:
            log.error("device_stuck", seconds=self.analyst.batcher.stalled_seconds)
            exit_worker()
        if time.monotonic() - self._answered_at > CONSUMER_STUCK_SECONDS:
            log.error("consumer_stuck", worker=self.node)
            exit_worker()


def keep_beating(app: Celery, role: str, analyst: Callable[[], Analyst | None] = lambda: None) -> None:
    """Send heartbeats from when this process's worker is ready until it shuts down."""
    heartbeats: list[Heartbeat] = []

    def start(sender: Any, **_: Any) -> None:
        heartbeats.append(Heartbeat(app, sender.hostname, role, analyst()))
        heartbeats[-1].start()

    def stop(sender: Any, **_: Any) -> None:
        for heartbeat in heartbeats:
            heartbeat.stop()
            heartbeat.join(STOP_SECONDS)  # A later beat would register the worker again.
        close_old_connections()  # This thread's connection may have been lost meanwhile.
        unregister_worker(sender.hostname)
        stop_tracing()  # Last, as it may wait for the collector.

    signals.worker_ready.connect(start, weak=False)
    signals.worker_shutdown.connect(stop, weak=False)
