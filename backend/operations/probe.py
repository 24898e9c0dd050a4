"""Whether something that may hang is there: storage that is mounted or far away, and the broker."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from django.conf import settings
from django.core.files.storage import default_storage
from kombu import Connection

from backend.operations.redis_client import broker_is_redis, redis_client

log = structlog.get_logger(__name__)


class Probe:
    """Asks at most once in `FRESH_SECONDS`, and waits `PATIENCE_SECONDS` at most for the answer.

    A thread asks, as a read of a mount whose server is away can't be interrupted. While one hangs, no second one is
    started: what does not answer is away.
    """

    FRESH_SECONDS = 5.0
    PATIENCE_SECONDS = 2.0

    def __init__(self, name: str, look: Callable[[], None]) -> None:
        """`look` raises whatever it likes when the thing is away."""
        self.name = name
        self._look = look
        self._asking = threading.Lock()
        self._thread: threading.Thread | None = None
        self.forget()

    def forget(self) -> None:
        """Ask anew at the next question."""
        self._there, self._fresh_until = True, 0.0

    def there(self) -> bool:
        """Whether it was there when it was last asked for."""
        with self._asking:
            if time.monotonic() >= self._fresh_until:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._ask, name=f"probe {self.name}", daemon=True)
                    self._thread.start()
                self._thread.join(self.PATIENCE_SECONDS)
                if self._thread.is_alive():
                    self._there = False
                    log.warning("probe_timed_out", probe=self.name)
                self._fresh_until = time.monotonic() + self.FRESH_SECONDS
            return self._there

    def _ask(self) -> None:
        try:
            self._look()
        except Exception as error:  # Whoever stores photos elsewhere brings errors of their own.
            log.warning("probe_failed", probe=self.name, cause=repr(error))
            self._there = False
        else:
            self._there = True


def _storage_look() -> None:
    """Look whether a photo could be stored now, without storing one. Raises where not."""
    try:
        folder = Path(default_storage.path(""))
    except NotImplementedError:
        default_storage.exists("probe")  # One short question to a server: it fails unless that answers and knows us.
        return
    while not folder.exists():
        folder = folder.parent  # As storing the first photo makes the folder.
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    room = os.statvfs(folder)
    if room.f_bavail * room.f_frsize < settings.BODY_MAX_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def _broker_look() -> None:
    if broker_is_redis():
        redis_client().ping()
        return
    with Connection(settings.CELERY_BROKER_URL, connect_timeout=1) as connection:
        connection.ensure_connection(max_retries=1)


storage_probe = Probe("storage", _storage_look)
broker_probe = Probe("broker", _broker_look)
