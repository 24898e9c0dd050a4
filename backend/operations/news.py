"""Word of a change, from process to process through the broker, so that who waits for it need not look all the time.

It is no truth: a word may get lost or come for nothing, and who waits looks at the row again in any case.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import redis
import structlog
from django.conf import settings

from backend.operations.broker import broker_client, broker_is_redis

log = structlog.get_logger(__name__)

CHANNEL = "scalp:news"
#: After a word that could not be sent or heard, nobody waits for the broker's time-out again for so long.
QUIET_SECONDS = 3.0
#: How often the thread that hears looks up, to see whether the process ends.
LOOK_UP_SECONDS = 0.5

_waiting: dict[str, set[threading.Event]] = defaultdict(set)
_changing = threading.Lock()
_quiet_until = 0.0
_listener: threading.Thread | None = None
_hearing = threading.Event()
_ending = threading.Event()


def news_tell(subject: str) -> None:
    """Say that something about `subject` has changed, to whoever waits for that in any process."""
    global _quiet_until
    if not broker_is_redis() or time.monotonic() < _quiet_until:
        return
    try:
        broker_client().publish(CHANNEL, subject)
    except (redis.RedisError, OSError) as error:
        _quiet_until = time.monotonic() + QUIET_SECONDS
        log.warning("pubsub_publish_failed", cause=repr(error))


@contextmanager
def news_of(subject: str) -> Iterator[threading.Event]:
    """An event that is set at each word on `subject`; whoever was told clears it and looks."""
    told = threading.Event()
    with _changing:
        _waiting[subject].add(told)
        _listen()
    try:
        yield told
    finally:
        with _changing:
            _waiting[subject].discard(told)
            if not _waiting[subject]:
                del _waiting[subject]


def news_come() -> bool:
    """Whether words are heard in this process just now."""
    return _hearing.is_set()


def _listen() -> None:
    """Start the one thread of this process that hears the words, with the first one who waits."""
    global _listener
    if broker_is_redis() and not _ending.is_set() and (_listener is None or not _listener.is_alive()):
        _listener = threading.Thread(target=_hear, name="news", daemon=True)
        _listener.start()
        atexit.register(_end, _listener)


def _end(listener: threading.Thread) -> None:
    """Let the thread end before the interpreter does: what it has to say then, nobody can write down any more."""
    _ending.set()
    listener.join(timeout=2 * LOOK_UP_SECONDS)


def _hear() -> None:
    while not _ending.is_set():
        try:
            # No time-out for reading, as nothing may happen for long: the health check finds a dead connection.
            with redis.Redis.from_url(
                settings.CELERY_BROKER_URL, socket_connect_timeout=1, health_check_interval=10
            ) as broker, broker.pubsub(ignore_subscribe_messages=True) as channel:  # fmt: skip
                channel.subscribe(CHANNEL)
                _hearing.set()
                while not _ending.is_set():
                    word = channel.get_message(timeout=LOOK_UP_SECONDS)
                    if word is not None:
                        _pass_on(word["data"].decode())
        except (redis.RedisError, OSError) as error:
            if not _ending.is_set():
                log.warning("pubsub_receive_failed", cause=repr(error))
        finally:
            _hearing.clear()
        _ending.wait(QUIET_SECONDS)


def _pass_on(subject: str) -> None:
    with _changing:
        for told in _waiting.get(subject, ()):
            told.set()
