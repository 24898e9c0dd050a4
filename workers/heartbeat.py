"""The heartbeat of a worker: it renews its leases, and says that it is there only when it really takes messages.

1. Ask ourselves for a pong through the broker: only a consumer that lives answers (liveness measures progress,
   not a socket; consumers that stall after a reconnect: celery #8030, #8384, #10205).
2. Write the worker's row if the pong came.
3. Renew the leases of what we hold, whether the broker is there or not, unless the device is stuck.
4. Leave, for the supervisor to start a new process, when the device or the consumer is stuck.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog
from amqp.exceptions import AMQPError
from celery import Celery, signals
from django.conf import settings
from django.db import DatabaseError, close_old_connections
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from backend.analyses.services.attempt import claims_renew
from backend.operations.services import worker_left, worker_seen
from backend.operations.traces import traces_end
from workers.exit import leave

if TYPE_CHECKING:  # It brings torch along, which a worker without models has no need of.
    from workers.analyst import Analyst

log = structlog.get_logger(__name__)

BROKER_AWAY = (OperationalError, RedisError, AMQPError, OSError)
#: A consumer that lost its broker pauses up to 32 s between two tries to reach it: only a longer silence, with
#: a broker that answers others, is a stall.
CONSUMER_STUCK_SECONDS = max(90.0, 2 * settings.LEASE_SECONDS)
DEVICE_STUCK_SECONDS = 2 * settings.LEASE_SECONDS
#: For a beat that is on its way when the worker leaves.
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
            for step in (self._tell, self._renew, self._leave_if_stuck):
                self._attempt(step)
            if self._stop_asked.wait(settings.HEARTBEAT_SECONDS):
                return

    def stop(self) -> None:
        self._stop_asked.set()

    def _attempt(self, step: Callable[[], None]) -> None:
        """A database or broker that is away for a while must not end the heartbeat, nor must anything else."""
        close_old_connections()
        try:
            step()
        except (DatabaseError, *BROKER_AWAY) as error:
            log.warning("heartbeat_skipped", step=step.__name__, cause=repr(error))
        except Exception:
            log.exception("heartbeat_failed", step=step.__name__)
        finally:
            close_old_connections()

    def _tell(self) -> None:
        try:
            pong = self._ping()
        except BROKER_AWAY:
            self._answered_at = time.monotonic()  # The broker is away, which says nothing of the consumer.
            raise
        if not pong:
            log.warning("ping_unanswered", worker=self.node)
            return
        self._answered_at = time.monotonic()
        if self.analyst is None:
            worker_seen(self.node, role=self.role)
            return
        predictor, batcher = self.analyst.predictor, self.analyst.batcher
        worker_seen(
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

    def _leave_if_stuck(self) -> None:
        if self.analyst is not None and self.analyst.batcher.stalled_seconds > DEVICE_STUCK_SECONDS:
            log.error("device_stuck", seconds=self.analyst.batcher.stalled_seconds)
            leave()
        if time.monotonic() - self._answered_at > CONSUMER_STUCK_SECONDS:
            log.error("consumer_stuck", worker=self.node)
            leave()


def keep_beating(app: Celery, role: str, analyst: Callable[[], Analyst | None] = lambda: None) -> None:
    """Beat from the moment that this process's worker is ready until it shuts down."""
    beating: list[Heartbeat] = []

    def begin(sender: Any, **_: Any) -> None:
        beating.append(Heartbeat(app, sender.hostname, role, analyst()))
        beating[-1].start()

    def end(sender: Any, **_: Any) -> None:
        for heartbeat in beating:
            heartbeat.stop()
            heartbeat.join(STOP_SECONDS)  # What it tells later would put the worker on the list again.
        close_old_connections()  # This thread's is as old as the worker: the database may have been away meanwhile.
        worker_left(sender.hostname)
        traces_end()  # Last, as it may wait for a collector.

    signals.worker_ready.connect(begin, weak=False)
    signals.worker_shutdown.connect(end, weak=False)
