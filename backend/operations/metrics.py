"""Prometheus metrics, read from the rows at each scrape: every web process tells the same truth."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from backend.analyses.selectors.queue import analyses_by_status, oldest_queued_at
from backend.operations.selectors import pace, readiness


class RowsCollector(Collector):
    def collect(self) -> Iterable[Metric]:
        by_status = GaugeMetricFamily("scalp_analyses", "Analyses by status.", labels=["status"])
        for status, count in analyses_by_status().items():
            by_status.add_metric([status], count)
        yield by_status
        oldest = oldest_queued_at()
        age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
        yield GaugeMetricFamily("scalp_queue_oldest_seconds", "Age of the oldest queued analysis.", value=max(age, 0.0))
        found = readiness()
        yield GaugeMetricFamily("scalp_ready", "1 if a photo sent now would be analysed.", value=int(found.ready))
        yield GaugeMetricFamily("scalp_workers", "Model workers with a fresh heartbeat.", value=found.workers)
        yield GaugeMetricFamily(
            "scalp_models_resident", "Models held by each ready worker.", value=found.models_resident
        )
        seconds = pace().photo_seconds
        if seconds is not None:
            yield GaugeMetricFamily("scalp_photo_seconds", "Seconds a photo lately took a worker.", value=seconds)


_registry = CollectorRegistry()
_registry.register(RowsCollector())


def exposition() -> bytes:
    return generate_latest(_registry)
