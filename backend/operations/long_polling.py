"""Long polling by `Prefer: wait=N` (RFC 7240): hold a response until it changes, for a bounded number of requests."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.db import connection
from django.http import HttpRequest

from backend.operations.pubsub import is_listening, watch_changes

MAX_WAIT_SECONDS = 25.0
#: Between two reads of a held request; less often while this process receives published changes.
READ_INTERVAL_SECONDS, READ_INTERVAL_SECONDS_WITH_PUBSUB = 0.2, 1.0

_slots = threading.BoundedSemaphore(settings.WAITERS) if settings.WAITERS else None

T = TypeVar("T")


def preferred_wait(request: HttpRequest) -> float:
    """Seconds that the client is willing to wait, at most 25; 0 without a preference."""
    # Names of preferences are case-insensitive (RFC 7240, section 2).
    match = re.search(r"(?i)(?:^|[,;\s])wait\s*=\s*\"?([0-9]{1,9})", request.headers.get("Prefer", ""))
    return min(float(match.group(1)), MAX_WAIT_SECONDS) if match else 0.0


def wait_for(read: Callable[[], T], until: Callable[[T], bool], seconds: float, subject: str = "") -> tuple[T, bool]:
    """Read until `until` holds or `seconds` have passed; returns the last value, and whether the request was held.

    It reads at each published change of `subject`, and also from time to time. If all slots are taken, it returns at
    once. Between two reads it holds no database connection.
    """
    value = read()
    if seconds <= 0 or until(value) or _slots is None or not _slots.acquire(blocking=False):
        return value, False
    try:
        end = time.monotonic() + seconds
        with watch_changes(subject) as changed:
            while True:
                changed.clear()
                value = read()  # Also at first: it may have changed before the subscription.
                left = end - time.monotonic()
                if until(value) or left <= 0:
                    return value, True
                if connection.vendor == "postgresql":
                    connection.close()  # Back to the pool.
                changed.wait(min(left, READ_INTERVAL_SECONDS_WITH_PUBSUB if is_listening() else READ_INTERVAL_SECONDS))
    finally:
        _slots.release()
