"""What Celery raises when its broker is unavailable, hangs or refuses, whichever broker it is."""

from __future__ import annotations

from amqp.exceptions import AMQPError
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

BROKER_ERRORS = (OperationalError, RedisError, AMQPError, OSError)
