"""A readers–writer lock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class RWLock:
    """Held by many threads as shared, or by one as exclusive; a waiting exclusive one goes before later shared ones."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._shared_holders = 0
        self._exclusive_held = False
        self._exclusive_waiters = 0

    @contextmanager
    def shared(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._exclusive_held and not self._exclusive_waiters)
            self._shared_holders += 1
        try:
            yield
        finally:
            with self._changed:
                self._shared_holders -= 1
                self._changed.notify_all()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        with self._changed:
            self._exclusive_waiters += 1
            self._changed.wait_for(lambda: not self._exclusive_held and not self._shared_holders)
            self._exclusive_waiters -= 1
            self._exclusive_held = True
        try:
            yield
        finally:
            with self._changed:
                self._exclusive_held = False
                self._changed.notify_all()
