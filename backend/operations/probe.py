"""Health probes for parts that may hang: storage, which may be mounted or remote, and the broker."""

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
    """Checks at most every `FRESH_SECONDS`, and waits at most `PATIENCE_SECONDS` for the result.

    A thread does the check, as a read of a mount without a server cannot be interrupted. While it hangs, no second one
    is started, and the part counts as unavailable.
    """

    FRESH_SECONDS = 5.0
    PATIENCE_SECONDS = 2.0

    def __init__(self, name: str, check: Callable[[], None]) -> None:
        """`check` raises any exception if the part is unavailable."""
        self.name = name
        self._check = check
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.forget()

    def forget(self) -> None:
        """Check again at the next call."""
        self._available, self._fresh_until = True, 0.0

    def is_available(self) -> bool:
        """Whether it was available at the last check."""
        with self._lock:
            if time.monotonic() >= self._fresh_until:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name=f"probe {self.name}", daemon=True)
                    self._thread.start()
                self._thread.join(self.PATIENCE_SECONDS)
                if self._thread.is_alive():
                    self._available = False
                    log.warning("probe_timed_out", probe=self.name)
                self._fresh_until = time.monotonic() + self.FRESH_SECONDS
            return self._available

    def _run(self) -> None:
        try:
            self._check()
        except Exception as error:  # Other storages raise errors of their own.
            log.warning("probe_failed", probe=self.name, cause=repr(error))
            self._available = False
        else:
            self._available = True


def _check_storage() -> None:
    """Raise if a photo could not be stored now, without storing one."""
    try:
        folder = Path(default_storage.path(""))
    except NotImplementedError:
        default_storage.exists("probe")  # A short request that fails if the server or the credentials do.
        return
    while not folder.exists():
        folder = folder.parent  # Storing the first photo creates the folder.
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize < settings.BODY_MAX_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def _check_broker() -> None:
    if broker_is_redis():
        redis_client().ping()
        return
    with Connection(settings.CELERY_BROKER_URL, connect_timeout=1) as connection:
        connection.ensure_connection(max_retries=1)


storage_probe = Probe("storage", _check_storage)
broker_probe = Probe("broker", _check_broker)
