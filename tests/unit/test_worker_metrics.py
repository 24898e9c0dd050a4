"""What a model worker measures, and that it answers for it."""

from __future__ import annotations

import socket
import threading
import urllib.request
from collections.abc import Sequence
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ml.errors import OutOfMemory
from ml.predictor import RUN_ORDER, Prediction, Watch
from tests.support.environment import free_port
from workers.batcher import Batcher
from workers.metrics import registry, serve_metrics


class Device:
    """Has room for two photos."""

    def predict(
        self, photos: Sequence[Any], watch: Watch | None = None, *, maps: bool = False
    ) -> list[Prediction | None]:
        assert watch is not None
        if len(photos) > 2:
            raise OutOfMemory("no memory left for this batch")
        for done in range(1, len(RUN_ORDER) + 1):
            watch(done, range(len(photos)))
        return [Prediction(True, 1.0) for _ in photos]


def value(name: str, **labels: str) -> float:
    return registry.get_sample_value(name, labels) or 0.0


def test_each_batch_is_measured_with_its_models_and_the_wait_of_its_photos() -> None:
    names = (
        "scalp_batch_photos_sum",
        "scalp_batch_seconds_count",
        "scalp_batch_wait_seconds_count",
        "scalp_inference_seconds_count",
    )
    before = {name: value(name) for name in names}
    models = {key: value("scalp_model_seconds_count", model=key) for key in RUN_ORDER}
    batcher = Batcher(Device(), max_batch=4, max_wait=3600.0, device_lost=lambda: None)
    with batcher.expecting():
        jobs = [batcher.submit(photo) for photo in range(4)]  # type: ignore[arg-type]  # Taken as they are.
    assert all(job.result() for job in jobs)
    batcher.close(30)
    assert {name: value(name) - before[name] for name in names} == dict(zip(names, (4, 1, 4, 4), strict=True))
    # Four did not fit, so each model ran over two halves.
    assert {key: value("scalp_model_seconds_count", model=key) - models[key] for key in RUN_ORDER} == dict.fromkeys(
        RUN_ORDER, 2
    )


def test_a_port_that_was_set_answers_in_the_format_of_prometheus() -> None:
    port = free_port()
    serve_metrics(port, "127.0.0.1")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    assert {family.name for family in families if family.type == "histogram"} == {
        "scalp_http_request_duration_seconds",
        "scalp_queue_wait_seconds",
        "scalp_inference_seconds",
        "scalp_end_to_end_seconds",
        "scalp_batch_photos",
        "scalp_batch_wait_seconds",
        "scalp_batch_seconds",
        "scalp_model_seconds",
        "scalp_prepare_seconds",
    }
    assert {family.name for family in families if family.type == "gauge"} >= {
        "scalp_models_loaded",
        "process_resident_memory_bytes",
    }


def test_without_a_port_nothing_listens() -> None:
    before = set(threading.enumerate())
    serve_metrics(0, "127.0.0.1")
    assert set(threading.enumerate()) <= before


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match=rf"127\.0\.0\.1:{port}: .* Set SCALP_METRICS_PORT"):
            serve_metrics(port, "127.0.0.1")
