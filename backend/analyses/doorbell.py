"""The queue as a doorbell: a message carries an id and nothing else, and losing one loses no photo.

Whoever commits a queued row rings after the commit. When the broker does not answer, the row just stays
queued: the reaper rings again later.
"""

from __future__ import annotations

import time
from uuid import UUID

import structlog
from celery import Celery
from kombu.exceptions import OperationalError
from kombu.utils.json import loads
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

QUEUE = "photos"
TASK = "analyse_photo"
#: After a ring that failed, the next uploads do not wait for the broker's time-out as well.
QUIET_SECONDS = 3.0

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

_quiet_until = 0.0


def bell_ring(analysis_id: UUID) -> bool:
    """Send the id to the workers; False when the broker can't be reached just now."""
    global _quiet_until
    if time.monotonic() < _quiet_until:
        return False
    try:
        celery_app.send_task(TASK, kwargs={"analysis_id": str(analysis_id)}, queue=QUEUE, retry=False)
    except (OperationalError, RedisError, OSError) as error:
        _quiet_until = time.monotonic() + QUIET_SECONDS
        log.warning("bell_silent", analysis=str(analysis_id), cause=repr(error))
        return False
    return True


def bell_depth() -> int | None:
    """How many messages for photos the broker holds, waiting or handed out and not acknowledged; None if unknown.

    What is handed out lies together with that of all other queues, the reaper's own message among it.
    """
    try:
        with celery_app.connection_for_read() as connection:
            channel = connection.default_channel
            waiting = int(channel.client.llen(QUEUE))
            handed_out = sum(loads(kept)[2] == QUEUE for kept in channel.client.hvals(channel.unacked_key))
    except (OperationalError, RedisError, OSError, AttributeError) as error:
        log.warning("bell_depth_unknown", cause=repr(error))
        return None
    return waiting + handed_out
