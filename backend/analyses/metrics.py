"""What the rows of analyses tell Prometheus."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from backend.analyses.selectors.queue import analyses_by_status, oldest_queued_at
from backend.operations.metrics import RowsCollector

#: All rows are counted, which takes the longer the more there are: they are counted anew after no less than 50 times
#: what that took, so it costs 2 % of a core at most however often somebody scrapes.
STALE_TIMES = 50


class AnalysesCollector(RowsCollector):
    def __init__(self) -> None:
        self._counting = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Count anew at the next scrape."""
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
            begun = time.monotonic()
            if begun >= self._fresh_until:
                self._counted = analyses_by_status()
                ended = time.monotonic()
                self._fresh_until = ended + STALE_TIMES * (ended - begun)
            return self._counted


analyses = AnalysesCollector()
