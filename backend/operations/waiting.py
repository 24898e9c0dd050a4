"""`Prefer: wait=N` (RFC 7240): hold an answer until it changes, for a bounded number of waiters."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.db import connection
from django.http import HttpRequest

from backend.operations.news import news_come, news_of

MAX_SECONDS = 25.0
#: Between two looks of somebody who waits: nobody looks so seldom unless words of changes come.
STEP_SECONDS, STEP_SECONDS_WITH_NEWS = 0.2, 1.0

_seats = threading.BoundedSemaphore(settings.WAITERS) if settings.WAITERS else None

T = TypeVar("T")


def preferred_wait(request: HttpRequest) -> float:
    """Seconds that the client would wait, at most 25; 0 if it does not say."""
    match = re.search(r"(?:^|[,;\s])wait\s*=\s*\"?([0-9]{1,9})", request.headers.get("Prefer", ""))
    return min(float(match.group(1)), MAX_SECONDS) if match else 0.0


def wait_for(read: Callable[[], T], until: Callable[[T], bool], seconds: float, subject: str = "") -> tuple[T, bool]:
    """Read until `until` holds or `seconds` are over; the last read, and whether it was waited.

    It reads again at each word on `subject`, and from time to time whether told or not. When all seats are taken, it
    answers at once. The database connection is given back between two reads.
    """
    value = read()
    if seconds <= 0 or until(value) or _seats is None or not _seats.acquire(blocking=False):
        return value, False
    try:
        end = time.monotonic() + seconds
        with news_of(subject) as told:
            while True:
                told.clear()
                value = read()  # Also at first: what changed before the words were listened for.
                left = end - time.monotonic()
                if until(value) or left <= 0:
                    return value, True
                if connection.vendor == "postgresql":
                    connection.close()  # Back to the pool: a sleeping waiter needs none.
                told.wait(min(left, STEP_SECONDS_WITH_NEWS if news_come() else STEP_SECONDS))
    finally:
        _seats.release()
