"""What Prometheus is told of the analyses."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from backend.analyses.selectors.queue import analyses_by_status, oldest_queued_at


class AnalysesCollector(Collector):
    def collect(self) -> Iterable[Metric]:
        by_status = GaugeMetricFamily("scalp_analyses", "Analyses by status.", labels=["status"])
        for status, count in analyses_by_status().items():
            by_status.add_metric([status], count)
        yield by_status
        oldest = oldest_queued_at()
        age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
        yield GaugeMetricFamily("scalp_queue_oldest_seconds", "Age of the oldest queued analysis.", value=max(age, 0.0))
