"""Spans of one process: what the collector receives of them, and that nothing is recorded without a collector."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured, MiddlewareNotUsed
from django.http import HttpResponse
from django.test import RequestFactory
from opentelemetry.trace import SpanKind

from backend.config import environment
from backend.operations.request_metrics import RequestTraces
from backend.operations.tracing import (
    SHUTDOWN_SECONDS,
    add_link,
    span,
    span_past,
    span_shared,
    start_tracing,
    stop_tracing,
    traceparent,
)
from ml.errors import OutOfMemory
from ml.predictor import RUN_ORDER, Prediction
from tests.support.collector import Collector, Silent
from tests.support.environment import ROOT
from workers.batcher import Batcher

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"


@pytest.fixture
def begin(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Callable[..., None]]:
    """Hands the spans of this process to an endpoint from then on until the end of the test."""

    def told(endpoint: str, **variables: str) -> None:
        for name, value in {"EXPORTER_OTLP_ENDPOINT": endpoint, **variables}.items():
            monkeypatch.setenv(f"OTEL_{name}", value)
        settings.TRACES = True
        start_tracing("tests")

    yield told
    stop_tracing()


@pytest.fixture
def nowhere() -> Iterator[Collector]:
    """A collector that is not configured yet."""
    collector = Collector()
    yield collector
    collector.close()


@pytest.fixture
def collector(nowhere: Collector, begin: Callable[..., None]) -> Collector:
    """A collector that this process hands its spans to."""
    begin(nowhere.endpoint)
    return nowhere


# Without a collector


@pytest.mark.parametrize("installed", [True, False])
def test_without_a_collector_no_sdk_is_loaded_and_no_thread_runs(installed: bool) -> None:
    code = f"""
import sys, threading
if not {installed}:
    # An import of them fails.
    sys.modules |= {{"opentelemetry.sdk": None, "opentelemetry.exporter": None}}
import backend.config.wsgi, workers.upkeep, workers.model
from backend.operations.tracing import add_link, span, span_past, span_shared, traceparent, start_tracing, stop_tracing
start_tracing("tests")
with span("a"), span_shared("b", [traceparent()], {{}}) as shared:
    shared.set_attributes({{"c": 1}})
    add_link(shared, {SAMPLED!r})
    span_past("d", 1.0)
    assert traceparent() is None
print([thread.name for thread in threading.enumerate()])
# redis-py looks by itself for a part that measures, where that is installed.
parts = ("opentelemetry.sdk.trace", "opentelemetry.exporter")
print([name for name, module in sys.modules.items() if module is not None and name.startswith(parts)])
stop_tracing()
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines() == ["['MainThread']", "[]"], done.stderr


def test_without_a_collector_no_request_passes_the_middleware(settings: Any) -> None:
    assert settings.TRACES is False
    with pytest.raises(MiddlewareNotUsed):
        RequestTraces(lambda request: HttpResponse())


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"ENDPOINT": " "},
        {"ENDPOINT": "http://collector:4318", "SDK_DISABLED": "true"},
        {"ENDPOINT": "http://collector:4318", "TRACES_EXPORTER": "None"},
    ],
)
def test_nothing_is_collected_unless_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"OTEL_{'EXPORTER_OTLP_' if name == 'ENDPOINT' else ''}{name}", value)
    assert environment.traces() is False


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_a_collector_that_is_named_is_asked_for(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://collector:4318")
    assert environment.traces() is True


def test_a_protocol_that_is_not_there_is_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with pytest.raises(ImproperlyConfigured, match="set http/protobuf"):
        environment.traces()


def test_without_the_packages_a_process_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")
    monkeypatch.setattr(environment, "find_spec", missing)
    with pytest.raises(ImproperlyConfigured, match=r"pip install -r requirements/tracing\.txt"):
        environment.traces()


# What a collector is told


def test_spans_stand_in_each_other_and_say_how_long_they_took(collector: Collector) -> None:
    with span("outer", {"scalp.attempt": 2}, kind=SpanKind.CONSUMER, parent=SAMPLED), span("inner") as inner:
        inner.set_attributes({"scalp.outcome": "succeeded"})
        span_past("past", 1.5)
    stop_tracing()
    past, told_inner, outer = collector.spans
    assert [seen.name for seen in (past, told_inner, outer)] == ["past", "inner", "outer"]
    assert {seen.trace_id for seen in collector.spans} == {TRACE}
    assert (outer.parent_id, told_inner.parent_id, past.parent_id) == (PARENT, outer.span_id, told_inner.span_id)
    assert (outer.kind, outer.service, outer.attributes) == ("consumer", "scalpspectra-tests", {"scalp.attempt": 2})
    assert told_inner.attributes == {"scalp.outcome": "succeeded"}
    assert past.ended - past.begun == 1_500_000_000


def test_an_exception_marks_its_span_by_class_without_its_message(collector: Collector) -> None:
    with pytest.raises(ValueError, match="somebody"), span("broken"):
        raise ValueError("somebody's name")
    stop_tracing()
    (broken,) = collector.spans
    assert (broken.failed, broken.attributes) == (True, {"error.type": "ValueError"})
    assert not [word for word in collector.words if "somebody" in word]


@pytest.mark.parametrize(
    "strange", ["", "x", "00-0-0-00", f"00-{'0' * 32}-{PARENT}-01", "한글", SAMPLED.replace("-", "_")]
)
def test_a_context_that_is_none_begins_a_trace_of_its_own(collector: Collector, strange: str) -> None:
    with span("alone", parent=strange, links=[strange]) as alone:
        add_link(alone, strange)
    stop_tracing()
    (told,) = collector.spans
    assert told.trace_id != TRACE
    assert (told.parent_id, told.links) == ("", ())


def test_a_trace_that_the_sampler_leaves_out_is_left_out_by_all(nowhere: Collector, begin: Callable[..., None]) -> None:
    begin(nowhere.endpoint, TRACES_SAMPLER="parentbased_always_off")
    with span("begun by us"):
        assert int(str(traceparent())[-2:], 16) & 1 == 0
    with span("left out by others", parent=UNSAMPLED):
        pass
    with span("wanted by others", parent=SAMPLED):
        pass
    stop_tracing()
    assert [seen.name for seen in nowhere.spans] == ["wanted by others"]


def test_the_name_of_the_service_is_the_operator_s(nowhere: Collector, begin: Callable[..., None]) -> None:
    begin(nowhere.endpoint, SERVICE_NAME="scalps-of-the-house")
    with span("a"):
        pass
    stop_tracing()
    assert [seen.service for seen in nowhere.spans] == ["scalps-of-the-house"]


def test_a_collector_that_is_away_holds_up_no_end_of_a_process(begin: Callable[..., None]) -> None:
    silent = Silent()
    begin(silent.endpoint, EXPORTER_OTLP_TIMEOUT="4", BSP_MAX_QUEUE_SIZE="512")
    begun = time.monotonic()
    for _ in range(5000):  # More than wait for a collector.
        with span("a"):
            pass
    between = time.monotonic()
    stop_tracing()
    silent.close()
    assert between - begun < SHUTDOWN_SECONDS
    assert time.monotonic() - between < SHUTDOWN_SECONDS + 1


# Work that is done for several at once


def test_what_is_done_for_several_is_a_part_of_the_first_that_is_collected(collector: Collector) -> None:
    other = f"00-{'a' * 32}-{'b' * 16}-01"
    with span_shared("batch", [None, UNSAMPLED.replace(TRACE, "c" * 32), SAMPLED, other], {"scalp.photos": 4}):
        pass
    stop_tracing()
    (batch,) = collector.spans
    assert (batch.trace_id, batch.parent_id) == (TRACE, PARENT)
    assert batch.links == (PARENT, "b" * 16)  # Also of one that is not collected: it has its id in the logs.


def test_a_batch_that_does_not_fit_gives_a_failed_span_and_one_per_half(collector: Collector) -> None:
    class Device:
        def predict(self, photos: Any, watch: Any = None, *, maps: bool = False) -> list[Prediction | None]:
            if len(photos) > 1:
                raise OutOfMemory("no memory left for this batch")
            for done in range(1, len(RUN_ORDER) + 1):
                watch(done, range(len(photos)))
            return [Prediction(True, 1.0) for _ in photos]

    batcher = Batcher(Device(), max_batch=2, max_wait=3600.0, device_lost=lambda: None)
    jobs = []
    with batcher.expecting():
        for _ in range(2):
            with span("inference"):
                jobs.append(batcher.submit("photo"))  # type: ignore[arg-type]  # Taken as it is.
    assert all(job.result() for job in jobs)
    batcher.close(30)
    stop_tracing()
    whole, *halves = sorted(collector.named("batch"), key=lambda seen: seen.begun)
    first, second = sorted(collector.named("inference"), key=lambda seen: seen.begun)
    assert (whole.failed, whole.attributes) == (True, {"scalp.photos": 2, "error.type": "OutOfMemory"})
    assert (whole.parent_id, whole.links) == (first.span_id, (second.span_id,))
    assert [(half.failed, half.parent_id, half.links) for half in halves] == [
        (False, first.span_id, ()),
        (False, second.span_id, ()),
    ]
    assert [str(job.batch_traceparent).split("-")[2] for job in jobs] == [half.span_id for half in halves]
    for half in halves:
        inside = [seen for seen in collector.spans if seen.parent_id == half.span_id]
        models = [seen.name for seen in sorted(inside, key=lambda seen: seen.ended)]
        assert models == [f"model {key}" for key in RUN_ORDER]


# Requests


@pytest.mark.parametrize(("status", "failed"), [(202, False), (404, False), (503, True)])
def test_a_request_is_told_by_its_route_and_status_alone(collector: Collector, status: int, failed: bool) -> None:
    request = RequestFactory().post("/nowhere/at/all/?mail=somebody@mail.example", HTTP_TRACEPARENT=SAMPLED)
    RequestTraces(lambda request: HttpResponse(status=status))(request)
    stop_tracing()
    (told,) = collector.spans
    assert (told.name, told.kind, told.failed, told.parent_id) == ("POST unresolved", "server", failed, "")
    assert told.trace_id != TRACE
    about = {"http.request.method": "POST", "http.route": "unresolved", "http.response.status_code": status}
    assert told.attributes == about | ({"error.type": str(status)} if failed else {})


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "SOMEBODY"])
def test_a_request_that_changes_nothing_begins_no_trace(collector: Collector, method: str) -> None:
    RequestTraces(lambda request: HttpResponse())(RequestFactory().generic(method, "/"))
    stop_tracing()
    assert collector.spans == []
