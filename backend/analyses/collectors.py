"""The Prometheus collector over the rows of analyses."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from backend.analyses.selectors.queue import analyses_by_status, oldest_queued_at
from backend.operations.collectors import RowsCollector

#: Counting all rows takes longer the more there are. A count is reused for 50 times as long as it took, so counting
#: costs at most 2 % of a core.
MIN_AGE_FACTOR = 50


class AnalysesCollector(RowsCollector):
    def __init__(self) -> None:
        self._counting = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Count again at the next scrape."""
        self._counted: dict[str, int] = {}
        self._fresh_until = 0.0

    def read(self) -> Iterable[Metric]:
        by_status = GaugeMetricFamily("scalp_analyses", "Analyses by status.", labels=["status"])
        for status, count in self._by_status().items():
            by_status.add_metric([status], count)
        yield by_status
        oldest = oldest_queued_at()
        age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
        yield GaugeMetricFamily("scalp_queue_oldest_seconds", "Age of the oldest queued analysis.", value=max(age, 0.0))

    def _by_status(self) -> dict[str, int]:
        with self._counting:
            started = time.monotonic()
            if started >= self._fresh_until:
                self._counted = analyses_by_status()
                ended = time.monotonic()
                self._fresh_until = ended + MIN_AGE_FACTOR * (ended - started)
            return self._counted


analyses = AnalysesCollector()
