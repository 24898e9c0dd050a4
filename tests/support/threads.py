"""The same thing at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

T = TypeVar("T")


def at_once(*calls: Callable[[], T], times: int = 1) -> list[T]:
    """Run all calls, `times` times each, in threads that start together; each has a database connection of its own."""
    start = threading.Barrier(len(calls) * times)

    def run(call: Callable[[], T]) -> T:
        try:
            start.wait(10)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls) * times) as threads:
        return [done.result(60) for done in [threads.submit(run, call) for call in calls * times]]
