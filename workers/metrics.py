"""Prometheus metrics of a worker, served by an HTTP server of its own if a port is set.

| metric | histogram of |
|---|---|
| `scalp_batch_photos` | photos per batch |
| `scalp_batch_wait_seconds` | wait of a prepared photo for its batch |
| `scalp_batch_seconds` | duration of a batch on the device, including attempts that ran out of memory |
| `scalp_model_seconds` by `model` | duration of one model per batch; a trunk that models share counts for the first |
| `scalp_inference_seconds` | per photo, the duration of its batch |
| `scalp_prepare_seconds` | loading, decoding and preparing a photo |

There are also `scalp_attempts_total` by `outcome`, `scalp_models_loaded`, `scalp_bundle_info`, the memory of the CUDA
device and, as `process_resident_memory_bytes` and others, of the process. `backend.analyses.counters` has the metrics
of the rows that it writes. All of these are of one process; `/metrics` of the web shows all workers, from the rows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram, ProcessCollector, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from backend.operations.counters import registry

#: The return values of `Analyst.analyze`.
OUTCOMES = (
    "succeeded",
    "rejected",
    "failed",
    "requeued_on_drain",
    "requeued_after_outage",
    "lease_lost",
    "nothing_to_claim",
)

#: From a millisecond, for a model on a GPU, to half a minute, each about twice the one before.
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)

BATCH_PHOTOS = Histogram(
    "scalp_batch_photos", "Photos per batch.", buckets=(1, 2, 4, 8, 16, 32, 64, 128), registry=registry
)
BATCH_WAIT_SECONDS = Histogram(
    "scalp_batch_wait_seconds", "Wait of a prepared photo for its batch.", buckets=_SECONDS, registry=registry
)
BATCH_SECONDS = Histogram(
    "scalp_batch_seconds", "Seconds of a batch on the device.", buckets=_SECONDS, registry=registry
)
MODEL_SECONDS = Histogram(
    "scalp_model_seconds", "Seconds of one model over a batch.", ["model"], buckets=_SECONDS, registry=registry
)
INFERENCE_SECONDS = Histogram(
    "scalp_inference_seconds", "Seconds on the device per photo.", buckets=_SECONDS, registry=registry
)
PREPARE_SECONDS = Histogram(
    "scalp_prepare_seconds", "Seconds to load, decode and prepare a photo.", buckets=_SECONDS, registry=registry
)
ATTEMPTS = Counter("scalp_attempts", "Attempts by outcome.", ["outcome"], registry=registry)
for _outcome in OUTCOMES:
    ATTEMPTS.labels(_outcome)
LOADED_MODELS = Gauge("scalp_models_loaded", "Models that this process has loaded.", registry=registry)
BUNDLE = Gauge(
    "scalp_bundle_info", "The loaded bundle and its device.", ["bundle", "demo", "device", "runtime", "precision"],
    registry=registry,
)  # fmt: skip
ProcessCollector(registry=registry)


class DeviceMemory(Collector):
    """Memory of the CUDA device, if this process uses one."""

    def collect(self) -> Iterable[Metric]:
        torch = sys.modules.get("torch")  # An upkeep worker does not import it.
        if torch is None or not torch.cuda.is_initialized():
            return
        free, total = torch.cuda.mem_get_info()
        sizes = {"total": total, "free": free, "allocated": torch.cuda.memory_allocated(),
                "reserved": torch.cuda.memory_reserved()}  # fmt: skip
        memory = GaugeMetricFamily("scalp_device_memory_bytes", "Memory of the CUDA device.", labels=["kind"])
        for kind, number in sizes.items():
            memory.add_metric([kind], number)
        yield memory


registry.register(DeviceMemory())


def serve_metrics(port: int, host: str) -> None:
    """Serve `http://host:port/metrics` from a thread of this process, unless the port is 0.

    Raises SystemExit with a sentence if the port is not available.
    """
    if not port:
        return
    try:
        start_http_server(port, host, registry)
    except OSError as error:
        raise SystemExit(
            f"The worker's metrics cannot listen on {host}:{port}: {error.strerror}. Set SCALP_METRICS_PORT."
        ) from error
