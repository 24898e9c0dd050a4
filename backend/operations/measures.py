"""What this process measures of its own doing, in the words of Prometheus.

What several processes do alike is measured where it happens. The web role's processes answer for each other: gunicorn
lets each count in files that the others read (`deploy/gunicorn.conf.py`). A worker answers for itself, on a port.
What rows can tell is read from the rows (`backend.operations.metrics`).
"""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.multiprocess import MultiProcessCollector

disable_created_metrics()  # Twice the series, for when each began: nobody asks.
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
    THROTTLED.labels(_action)  # A series that is there from the start: Prometheus sees no growth in the first sample.


def measured() -> CollectorRegistry:
    """What this process measured, or all processes of this server together where they share a folder."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return registry
    together = CollectorRegistry()
    MultiProcessCollector(together)
    return together
