"""Prometheus collectors that read rows at each scrape, so every web process exports the same values.

Aggregate these over several servers by `max`, and the counters of single processes (`backend.operations.counters`) by
`sum`.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import InterfaceError, OperationalError
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from backend.operations.circuit_breaker import CircuitBreaker
from backend.operations.counters import counter_registry
from backend.operations.database_clock import database_now
from backend.operations.health import REASONS, WARNINGS, readiness
from backend.operations.selectors import fresh_workers_by_bundle, invariant_checks, pace, rounds

#: After a failed read, the other collectors of a scrape do not wait for the database's timeouts as well.
_breaker = CircuitBreaker()


class RowsCollector(Collector):
    """Exports what it reads from rows, and nothing while the database is unavailable."""

    def collect(self) -> Iterable[Metric]:
        if not _breaker.allows_call():
            return []
        try:
            metrics = list(self.read())
        except (OperationalError, InterfaceError):
            _breaker.record_failure()
            return []
        _breaker.record_success()
        return metrics

    def read(self) -> Iterable[Metric]:
        raise NotImplementedError


class HealthCollector(Collector):
    def collect(self) -> Iterable[Metric]:
        found = readiness()
        if "database_unavailable" in found.reasons:
            _breaker.record_failure()
        yield GaugeMetricFamily("scalp_ready", "1 if a new photo would be analyzed.", value=int(found.ready))
        yield GaugeMetricFamily("scalp_workers", "Model workers with a fresh heartbeat.", value=found.workers)
        yield GaugeMetricFamily(
            "scalp_models_resident", "Models loaded by each ready worker.", value=found.models_resident
        )
        problem = GaugeMetricFamily(
            "scalp_readiness_problem", "1 for each active reason and warning of /readyz.", labels=["code"]
        )
        for code in (*REASONS, *WARNINGS):
            problem.add_metric([code], int(code in found.reasons or code in found.warnings))
        yield problem


class WorkersCollector(RowsCollector):
    def read(self) -> Iterable[Metric]:
        seconds = pace().photo_seconds
        if seconds is not None:
            yield GaugeMetricFamily("scalp_photo_seconds", "Average seconds per photo and worker.", value=seconds)
        bundles = GaugeMetricFamily(
            "scalp_workers_by_bundle", "Ready model workers by bundle and device.", labels=["bundle", "device"]
        )
        for bundle, device, workers in fresh_workers_by_bundle():
            bundles.add_metric([bundle, device], workers)
        yield bundles


class UpkeepCollector(RowsCollector):
    def read(self) -> Iterable[Metric]:
        now = database_now()
        age = GaugeMetricFamily(
            "scalp_upkeep_last_run_age_seconds", "Seconds since the last run ended.", labels=["task"]
        )
        seconds = GaugeMetricFamily(
            "scalp_upkeep_last_run_duration_seconds", "Seconds that the last run took.", labels=["task"]
        )
        number = CounterMetricFamily("scalp_upkeep_runs", "Runs of upkeep.", labels=["task"])
        found = CounterMetricFamily("scalp_upkeep_items", "Items that upkeep handled.", labels=["task", "kind"])
        for row in rounds():
            age.add_metric([row.name], max(0.0, (now - row.ended_at).total_seconds()))
            seconds.add_metric([row.name], row.seconds)
            number.add_metric([row.name], row.rounds)
            for kind, total in row.found.items():
                found.add_metric([row.name, kind], total)
        yield from (age, seconds, number, found)


class InvariantsCollector(RowsCollector):
    def read(self) -> Iterable[Metric]:
        violations = GaugeMetricFamily(
            "scalp_invariant_violations", "Violations that the last check found.", labels=["invariant"]
        )
        for check in invariant_checks():
            violations.add_metric([check.name], check.violations)
        yield violations


#: Apps add their collectors when Django starts. Health comes first.
registry = CollectorRegistry()
for _collector in (HealthCollector, WorkersCollector, UpkeepCollector, InvariantsCollector):
    registry.register(_collector())


def exposition() -> bytes:
    return generate_latest(registry) + generate_latest(counter_registry())
