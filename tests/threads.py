"""The same thing at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

T = TypeVar("T")


def at_once(calls: Callable[[], T], times: int = 2) -> list[T]:
    """Run `calls` in so many threads that start together, each with a database connection of its own."""
    start = threading.Barrier(times)

    def run() -> T:
        try:
            start.wait(10)
            return calls()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as threads:
        return [done.result(60) for done in [threads.submit(run) for _ in range(times)]]
