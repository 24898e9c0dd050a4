"""What a worker measures, in the words of Prometheus; its own small server answers for it, if a port is set.

| metric | histogram of |
|---|---|
| `scalp_batch_photos` | photos in a batch |
| `scalp_batch_wait_seconds` | what a prepared photo waited until its batch began |
| `scalp_batch_seconds` | what a batch took on the device, tries that ran out of memory included |
| `scalp_model_seconds` by `model` | what one model took over a batch; a trunk that models share counts for the first |
| `scalp_inference_seconds` | the same for each photo: what the batch that it was in took |
| `scalp_prepare_seconds` | loading, decoding and preparing a photo |

It also counts `scalp_attempts_total` by `outcome` and tells which bundle it holds (`scalp_bundle_info`), the memory of
its CUDA device and, as `process_resident_memory_bytes` and the like, of itself. `backend.analyses.counters` has what it
measures while it writes rows. The web's `/metrics` has what the rows say, of all workers together; this is of one
process.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram, ProcessCollector, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from backend.operations.counters import registry

#: What an attempt may come to, as `Analyst.analyse` says it.
OUTCOMES = (
    "succeeded",
    "rejected",
    "failed",
    "requeued_on_drain",
    "requeued_after_outage",
    "lease_lost",
    "nothing_to_claim",
)

#: From a thousandth of a second, which a GPU may take for a model, to half a minute, each about twice the one before.
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)

BATCH_PHOTOS = Histogram(
    "scalp_batch_photos", "Photos in a batch.", buckets=(1, 2, 4, 8, 16, 32, 64, 128), registry=registry
)
BATCH_WAIT_SECONDS = Histogram(
    "scalp_batch_wait_seconds", "Wait of a prepared photo until its batch began.", buckets=_SECONDS, registry=registry
)
BATCH_SECONDS = Histogram(
    "scalp_batch_seconds", "Seconds of a batch on the device.", buckets=_SECONDS, registry=registry
)
MODEL_SECONDS = Histogram(
    "scalp_model_seconds", "Seconds of one model over a batch.", ["model"], buckets=_SECONDS, registry=registry
)
INFERENCE_SECONDS = Histogram(
    "scalp_inference_seconds", "Seconds on the device, by photo.", buckets=_SECONDS, registry=registry
)
PREPARE_SECONDS = Histogram(
    "scalp_prepare_seconds", "Seconds to load, decode and prepare a photo.", buckets=_SECONDS, registry=registry
)
ATTEMPTS = Counter("scalp_attempts", "Attempts by outcome.", ["outcome"], registry=registry)
for _outcome in OUTCOMES:
    ATTEMPTS.labels(_outcome)
RESIDENT = Gauge("scalp_models_loaded", "Models that this process has loaded.", registry=registry)
BUNDLE = Gauge(
    "scalp_bundle_info", "The loaded bundle and its device.", ["bundle", "demo", "device", "runtime", "precision"],
    registry=registry,
)  # fmt: skip
ProcessCollector(registry=registry)


class DeviceMemory(Collector):
    """Memory of the CUDA device of this process; nothing where it uses none."""

    def collect(self) -> Iterable[Metric]:
        torch = sys.modules.get("torch")  # An upkeep worker has no need of it.
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


def metrics_serve(port: int, host: str) -> None:
    """Answer `http://host:port/metrics` from a thread of this process; not at all where the port is 0.

    Raises SystemExit with a sentence where nothing can listen there.
    """
    if not port:
        return
    try:
        start_http_server(port, host, registry)
    except OSError as error:
        raise SystemExit(
            f"The worker's metrics can't listen on {host}:{port}: {error.strerror}. Set SCALP_METRICS_PORT."
        ) from error
