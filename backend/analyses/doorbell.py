"""The queue as a doorbell: a message carries an id and nothing else, and losing one loses no photo.

In a header it bears the id of the request that rang, by which one finds what became of it in the workers' logs. The
context of its trace is in the row, so that it is not lost with the message.

Whoever commits a queued row rings after the commit. When the broker does not answer, the row just stays
queued: the reaper rings again later.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from amqp.exceptions import AMQPError, NotFound
from celery import Celery
from django.conf import settings
from kombu.exceptions import OperationalError
from kombu.utils.json import loads
from redis.exceptions import RedisError

from backend.operations.logs import request_headers
from backend.operations.redis_client import broker_is_rabbitmq
from backend.operations.traces import span

log = structlog.get_logger(__name__)

QUEUE = "photos"
TASK = "analyse_photo"
#: The id once more where it can be read without the encoding of a task's arguments.
HEADER = "analysis_id"
#: What a span says of a ring, in the words of OpenTelemetry's conventions for messages.
SENDING = {
    "messaging.system": "celery",
    "messaging.destination.name": QUEUE,
    "messaging.operation.name": "send",
    "messaging.operation.type": "send",
}
#: After a ring that failed, the next uploads do not wait for the broker's time-out as well.
QUIET_SECONDS = 3.0
#: What a broker that is away, hangs or says no makes of a call.
AWAY = (OperationalError, RedisError, AMQPError, OSError)

celery_app = Celery("scalpspectra-doorbell", set_as_current=False)
celery_app.config_from_object("django.conf:settings", namespace="CELERY")
# A consumer tries for ever to reach the broker, and waits long for its answer; whoever holds a person's upload
# tries once, and does not hang with a broker that hangs.
celery_app.conf.broker_transport_options = {
    **celery_app.conf.broker_transport_options,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "socket_timeout": 2,
}

celery_app.conf.broker_connection_timeout = 2

_quiet_until = 0.0


def bell_ring(analysis_id: UUID, *, traceparent: str | None = None) -> bool:
    """Send the id to the workers; False when the broker can't be reached just now.

    `traceparent` names the trace that this belongs to, where it is not the one of this thread.
    """
    global _quiet_until
    if time.monotonic() < _quiet_until:
        return False
    try:
        with (
            span(f"send {QUEUE}", SENDING, kind="producer", parent=traceparent),
            celery_app.producer_or_acquire() as producer,
        ):
            try:
                celery_app.send_task(
                    TASK,
                    kwargs={"analysis_id": str(analysis_id)},
                    queue=QUEUE,
                    retry=False,
                    headers={HEADER: str(analysis_id), **request_headers()},
                    producer=producer,
                )
            except AWAY:
                if broker_is_rabbitmq():
                    # The confirmation of this one may still come, and would be taken for that of the next.
                    producer.connection.collect()
                raise
    except AWAY as error:
        _quiet_until = time.monotonic() + QUIET_SECONDS
        log.warning("broker_unavailable", analysis=str(analysis_id), cause=repr(error))
        return False
    return True


@dataclass(frozen=True)
class Line:
    """What the broker holds of the bells that were rung."""

    waiting: int  #: messages that no worker has taken yet
    #: Ids that were handed to a worker just now or are being worked on; None where the broker does not tell.
    taken: frozenset[UUID] | None


def bell_line() -> Line | None:
    """The messages that somebody will hear or hears already; None when the broker can't be asked."""
    try:
        with celery_app.connection_for_read() as connection:
            channel = connection.default_channel
            return _line_in_rabbitmq(channel) if broker_is_rabbitmq() else _line_in_redis(channel)
    except (*AWAY, AttributeError) as error:
        log.warning("task_queue_unreadable", cause=repr(error))
        return None


def _line_in_redis(channel: Any) -> Line:
    """A living worker claims what it is handed at once. The broker does not learn of a dead one before its visibility
    timeout, so what was handed out long ago says nothing any more: either its row runs, or nobody has it. The same
    goes for what was handed out in times to come, before the clock was set back; if it is a host whose clock is ahead,
    what it was handed may be rung for twice, and the second bell finds nothing to claim.
    """
    waiting = int(channel.client.llen(QUEUE))
    now, lately = time.time(), settings.RING_AGAIN_SECONDS
    tags = channel.client.zrangebyscore(channel.unacked_index_key, now - lately, now + lately)
    kept = channel.client.hmget(channel.unacked_key, tags) if tags else []
    # What was handed out lies together with that of all other queues, the reaper's own message among it.
    headers = [loads(message)[0]["headers"] for message in kept if message is not None]
    return Line(waiting, frozenset(UUID(header[HEADER]) for header in headers if HEADER in header))


def _line_in_rabbitmq(channel: Any) -> Line:
    """RabbitMQ takes back what it handed to a worker the moment that its connection ends, and puts it first in line."""
    try:
        return Line(channel.queue_declare(QUEUE, passive=True).message_count, None)
    except NotFound:  # Nobody has rung since the broker lost all that it had.
        return Line(0, None)
