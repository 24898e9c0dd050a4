"""Prometheus counters and histograms of this process.

All web processes of a server share their counts through files (`deploy/gunicorn.conf.py`), so any of them answers for
all. A worker answers for itself, on a port. What rows show is read from the rows instead, by
`backend.operations.collectors`.
"""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.multiprocess import MultiProcessCollector

disable_created_metrics()  # They would double the number of series.
registry = CollectorRegistry()

HTTP_REQUESTS = Counter("scalp_http_requests", "Requests answered.", ["route", "method", "status"], registry=registry)
HTTP_SECONDS = Histogram(
    "scalp_http_request_duration_seconds",
    "Seconds until a request was answered, without long polls (Prefer: wait).",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
    registry=registry,
)
THROTTLED = Counter("scalp_throttled", "Requests over a rate limit.", ["action"], registry=registry)
for _action in ("submits", "logins"):
    THROTTLED.labels(_action)  # Prometheus sees no increase in the first sample of a series.


def counter_registry() -> CollectorRegistry:
    """The counts of this process, or of all processes of this server if they share a folder."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return registry
    shared = CollectorRegistry()
    MultiProcessCollector(shared)
    return shared
