"""The kind of broker, and a plain Redis client for counters and pub/sub beside Celery's messages."""

from __future__ import annotations

import threading

import redis
from django.conf import settings

#: Errors of a Redis that is unavailable, hangs or refuses.
REDIS_ERRORS = (redis.RedisError, OSError)

_client: redis.Redis | None = None
_lock = threading.Lock()


def broker_is_redis() -> bool:
    return bool(settings.CELERY_BROKER_URL.startswith(("redis://", "rediss://", "unix://")))


def broker_is_rabbitmq() -> bool:
    return bool(settings.CELERY_BROKER_URL.startswith(("amqp://", "amqps://")))


def redis_client() -> redis.Redis:
    """The one client of this process, shared by all threads; a call takes at most about two seconds."""
    global _client
    # If two threads created one each, the discarded one would close its sockets during its first request.
    with _lock:
        if _client is None:
            _client = redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=1, socket_connect_timeout=1)
        return _client
