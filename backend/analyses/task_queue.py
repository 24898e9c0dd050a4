"""The task queue: a message is a hint with an analysis id, the row is the truth.

A message is sent after its row is committed. If the broker does not answer, or loses the message, the row stays queued
and the reaper sends another one. A header carries the id of the request, so that the workers' log lines can be found by
it. The trace context is in the row, so it is not lost with the message.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from amqp.exceptions import NotFound
from celery import Celery
from django.conf import settings
from kombu.utils.json import loads
from opentelemetry.trace import SpanKind

from backend.operations.broker_errors import BROKER_ERRORS
from backend.operations.circuit_breaker import CircuitBreaker
from backend.operations.logs import request_headers
from backend.operations.redis_client import broker_is_rabbitmq
from backend.operations.task_names import ANALYZE_PHOTO, PHOTOS_QUEUE
from backend.operations.tracing import span

log = structlog.get_logger(__name__)

#: The id once more, readable without decoding the task's arguments.
ANALYSIS_HEADER = "analysis_id"
#: Attributes of the span of a sent message, by OpenTelemetry's conventions for messaging.
SEND_ATTRIBUTES = {
    "messaging.system": "celery",
    "messaging.destination.name": PHOTOS_QUEUE,
    "messaging.operation.name": "send",
    "messaging.operation.type": "send",
}

celery_app = Celery("scalpspectra-enqueue", set_as_current=False)
celery_app.config_from_object("django.conf:settings", namespace="CELERY")
# A worker reconnects forever and waits long for answers. An upload tries once and must not hang with the broker.
celery_app.conf.broker_transport_options = {
    **celery_app.conf.broker_transport_options,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "socket_timeout": 2,
}

celery_app.conf.broker_connection_timeout = 2

_breaker = CircuitBreaker()


def enqueue(analysis_id: UUID, *, traceparent: str | None = None) -> bool:
    """Send the id to the workers; False if the broker is unavailable.

    `traceparent` is the trace that this belongs to, if not that of this thread.
    """
    if not _breaker.allows_call():
        return False
    try:
        with (
            span(f"send {PHOTOS_QUEUE}", SEND_ATTRIBUTES, kind=SpanKind.PRODUCER, parent=traceparent),
            celery_app.producer_or_acquire() as producer,
        ):
            try:
                celery_app.send_task(
                    ANALYZE_PHOTO,
                    kwargs={"analysis_id": str(analysis_id)},
                    # Celery's events, and so Flower, show this instead of the id, which is a capability.
                    kwargsrepr="{'analysis_id': …}",
                    queue=PHOTOS_QUEUE,
                    retry=False,
                    headers={ANALYSIS_HEADER: str(analysis_id), **request_headers()},
                    producer=producer,
                )
            except BROKER_ERRORS:
                if broker_is_rabbitmq():
                    # The confirmation may still arrive, and would be taken for that of the next message.
                    producer.connection.collect()
                raise
    except BROKER_ERRORS as error:
        _breaker.record_failure()
        log.warning("broker_unavailable", analysis=str(analysis_id), cause=repr(error))
        return False
    _breaker.record_success()
    return True


@dataclass(frozen=True)
class PendingMessages:
    """The messages that the broker holds."""

    waiting: int  #: not delivered to a worker yet
    #: Ids that were delivered to a worker recently; None if the broker cannot list them.
    delivered: frozenset[UUID] | None


def pending_messages() -> PendingMessages | None:
    """The messages that workers will receive or have just received; None if the broker is unavailable."""
    try:
        with celery_app.connection_for_read() as connection:
            channel = connection.default_channel
            return _pending_in_rabbitmq(channel) if broker_is_rabbitmq() else _pending_in_redis(channel)
    except (*BROKER_ERRORS, AttributeError) as error:
        log.warning("task_queue_unreadable", cause=repr(error))
        return None


def _pending_in_redis(channel: Any) -> PendingMessages:
    """A living worker claims at once what it is delivered, and the broker notices a dead one only after the visibility
    timeout. So messages that were delivered long ago are ignored: either their row is running, or no worker has it. So
    are messages from the future, delivered before the clock was set back. If instead a host's clock is ahead, its
    messages may be sent twice, and the second one finds nothing to claim.
    """
    waiting = int(channel.client.llen(PHOTOS_QUEUE))
    now, recent = time.time(), settings.RESEND_SECONDS
    tags = channel.client.zrangebyscore(channel.unacked_index_key, now - recent, now + recent)
    unacked = channel.client.hmget(channel.unacked_key, tags) if tags else []
    # Unacknowledged messages of all queues are stored together, the one that started the reaper among them.
    headers = [loads(message)[0]["headers"] for message in unacked if message is not None]
    return PendingMessages(
        waiting, frozenset(UUID(header[ANALYSIS_HEADER]) for header in headers if ANALYSIS_HEADER in header)
    )


def _pending_in_rabbitmq(channel: Any) -> PendingMessages:
    """RabbitMQ requeues the messages of a worker, at the front, as soon as its connection ends."""
    try:
        return PendingMessages(channel.queue_declare(PHOTOS_QUEUE, passive=True).message_count, None)
    except NotFound:  # No message has been sent since the broker lost its data.
        return PendingMessages(0, None)
