"""Which broker it is; and it as a plain Redis, for what is counted and told there beside Celery's messages."""

from __future__ import annotations

import threading

import redis
from django.conf import settings

_client: redis.Redis | None = None
_making = threading.Lock()


def broker_is_redis() -> bool:
    return bool(settings.CELERY_BROKER_URL.startswith(("redis://", "rediss://", "unix://")))


def broker_is_rabbitmq() -> bool:
    return bool(settings.CELERY_BROKER_URL.startswith(("amqp://", "amqps://")))


def broker_client() -> redis.Redis:
    """The one client of this process, which all threads share; a call through it takes some two seconds at most."""
    global _client
    # Two threads that made one each would close the sockets of the one that is thrown away, under its first request.
    with _making:
        if _client is None:
            _client = redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=1, socket_connect_timeout=1)
        return _client
