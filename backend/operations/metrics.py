"""Prometheus metrics, read from the rows at each scrape: every web process tells the same truth."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from backend.operations.health import readiness
from backend.operations.selectors import pace


class WorkersCollector(Collector):
    def collect(self) -> Iterable[Metric]:
        found = readiness()
        yield GaugeMetricFamily("scalp_ready", "1 if a photo sent now would be analysed.", value=int(found.ready))
        yield GaugeMetricFamily("scalp_workers", "Model workers with a fresh heartbeat.", value=found.workers)
        yield GaugeMetricFamily(
            "scalp_models_resident", "Models held by each ready worker.", value=found.models_resident
        )
        seconds = pace().photo_seconds
        if seconds is not None:
            yield GaugeMetricFamily("scalp_photo_seconds", "Seconds a photo lately took a worker.", value=seconds)


#: Each app adds what it has to tell when Django starts.
registry = CollectorRegistry()
registry.register(WorkersCollector())


def exposition() -> bytes:
    return generate_latest(registry)
