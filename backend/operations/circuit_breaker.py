"""A circuit breaker: after a failed call, the next ones are refused instead of waiting for the same timeout.

https://learn.microsoft.com/azure/architecture/patterns/circuit-breaker
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

RETRY_SECONDS = 3.0


class CircuitBreaker:
    """Closed, it allows all calls. A failure opens it for `seconds`; then it is half-open and allows one call.

    That one closes it by its success or opens it again by its failure. If it ends without either, another one is
    allowed after the same time.
    """

    def __init__(self, seconds: float = RETRY_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._retry_at: float | None = None  #: None while it is closed

    def allows_call(self) -> bool:
        """Whether to make the call, whose outcome is then to be recorded."""
        if self._retry_at is None:
            return True
        with self._lock:
            now, retry_at = self._clock(), self._retry_at
            if retry_at is None:
                return True
            if now < retry_at:
                return False
            self._retry_at = now + self._seconds
            return True

    def record_success(self) -> None:
        self._retry_at = None

    def record_failure(self) -> None:
        self._retry_at = self._clock() + self._seconds
