"""Redis pub/sub of changes, so that a long poll wakes up at once instead of reading the row again and again.

A message is only a hint: it may get lost or come without a change, so subscribers also read the row from time to time.
"""

from __future__ import annotations

import atexit
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import redis
import structlog
from django.conf import settings

from backend.operations.circuit_breaker import RETRY_SECONDS, CircuitBreaker
from backend.operations.redis_client import REDIS_ERRORS, broker_is_redis, redis_client

log = structlog.get_logger(__name__)

CHANNEL = "scalp:changes"
#: How often the listener thread checks whether the process exits.
POLL_SECONDS = 0.5

_subscribers: dict[str, set[threading.Event]] = defaultdict(set)
_lock = threading.Lock()
_publish_breaker = CircuitBreaker()
_listener: threading.Thread | None = None
_listening = threading.Event()
_exiting = threading.Event()


def publish_change(subject: str) -> None:
    """Notify all processes that `subject` has changed."""
    if not broker_is_redis() or not _publish_breaker.allows_call():
        return
    try:
        redis_client().publish(CHANNEL, subject)
    except REDIS_ERRORS as error:
        _publish_breaker.record_failure()
        log.warning("pubsub_publish_failed", cause=repr(error))
    else:
        _publish_breaker.record_success()


@contextmanager
def watch_changes(subject: str) -> Iterator[threading.Event]:
    """An event that is set whenever a change of `subject` is published; the caller clears it."""
    changed = threading.Event()
    with _lock:
        _subscribers[subject].add(changed)
        _start_listener()
    try:
        yield changed
    finally:
        with _lock:
            _subscribers[subject].discard(changed)
            if not _subscribers[subject]:
                del _subscribers[subject]


def is_listening() -> bool:
    """Whether this process receives changes at the moment."""
    return _listening.is_set()


def _start_listener() -> None:
    """Start the one listener thread of this process, at the first subscription."""
    global _listener
    if broker_is_redis() and not _exiting.is_set() and (_listener is None or not _listener.is_alive()):
        _listener = threading.Thread(target=_listen, name="pubsub", daemon=True)
        _listener.start()
        atexit.register(_stop_listener, _listener)


def _stop_listener(listener: threading.Thread) -> None:
    """End the thread before the interpreter shuts down, when it could no longer log."""
    _exiting.set()
    listener.join(timeout=2 * POLL_SECONDS)


def _listen() -> None:
    while not _exiting.is_set():
        try:
            # No read timeout, as nothing may be published for long: the health check finds dead connections.
            with redis.Redis.from_url(
                settings.CELERY_BROKER_URL, socket_connect_timeout=1, health_check_interval=10
            ) as broker, broker.pubsub(ignore_subscribe_messages=True) as channel:  # fmt: skip
                channel.subscribe(CHANNEL)
                _listening.set()
                while not _exiting.is_set():
                    message = channel.get_message(timeout=POLL_SECONDS)
                    if message is not None:
                        _notify_subscribers(message["data"].decode())
        except REDIS_ERRORS as error:
            if not _exiting.is_set():
                log.warning("pubsub_receive_failed", cause=repr(error))
        finally:
            _listening.clear()
        _exiting.wait(RETRY_SECONDS)


def _notify_subscribers(subject: str) -> None:
    with _lock:
        for changed in _subscribers.get(subject, ()):
            changed.set()
