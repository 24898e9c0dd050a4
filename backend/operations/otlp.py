"""Traces by OpenTelemetry's SDK, exported to a collector by OTLP over HTTP.

Imported only if tracing is enabled. The SDK and its exporter read their own variables: endpoint, headers, sampling
(`OTEL_TRACES_SAMPLER`), and how many spans may wait for an unavailable collector (`OTEL_BSP_MAX_QUEUE_SIZE`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, format_trace_id, get_current_span
from opentelemetry.trace import Span as Recorded
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from backend.operations.traces import Attributes, Span, SpanKindName

#: The SDK would wait for half a minute, longer than a supervisor may.
SHUTDOWN_SECONDS = 3.0

_w3c = TraceContextTextMapPropagator()
_KEY = "traceparent"


class Tracer:
    """Creates the spans of one process. A thread of the SDK exports them, so nothing waits for the collector."""

    def __init__(self, part: str) -> None:
        # No shutdown at exit by the SDK itself: the interpreter could not start its thread any more.
        self._provider = TracerProvider(resource=_resource(part), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("scalpspectra")

    @contextmanager
    def span(
        self, name: str, attributes: Attributes, kind: SpanKindName, parent: str | None, links: Sequence[str]
    ) -> Iterator[Span]:
        begun = self._tracer.start_as_current_span(
            name,
            context=_context(parent) if parent else None,  # None is the thread's own.
            kind=SpanKind[kind.upper()],
            attributes=dict(attributes),
            links=[Link(linked) for linked in map(_span_context, links) if linked.is_valid],
            # Messages of exceptions may contain anything.
            record_exception=False,
            set_status_on_exception=False,
        )
        with begun as recorded:
            recorded_span = RecordedSpan(recorded)
            with structlog.contextvars.bound_contextvars(trace_id=recorded_span.trace_id):
                try:
                    yield recorded_span
                except BaseException as error:
                    recorded_span.fail(type(error).__name__)
                    raise

    def past(self, name: str, seconds: float, parent: str | None) -> None:
        now = time.time_ns()
        begun = now - round(max(0.0, seconds) * 1e9)
        self._tracer.start_span(name, context=_context(parent) if parent else None, start_time=begun).end(now)

    def traceparent(self) -> str | None:
        carrier: dict[str, str] = {}
        _w3c.inject(carrier)
        return carrier.get(_KEY)

    def end(self) -> None:
        last = threading.Thread(target=self._provider.shutdown, name="last-spans", daemon=True)
        last.start()
        last.join(SHUTDOWN_SECONDS)


class RecordedSpan(Span):
    """A span that is exported, if it is sampled."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded

    @property
    def trace_id(self) -> str:
        return format_trace_id(self._recorded.get_span_context().trace_id)

    def rename(self, name: str) -> None:
        self._recorded.update_name(name)

    def note(self, attributes: Attributes) -> None:
        self._recorded.set_attributes(dict(attributes))

    def link(self, traceparent: str | None) -> None:
        linked = _span_context(traceparent or "")
        if linked.is_valid and linked.trace_id != self._recorded.get_span_context().trace_id:
            self._recorded.add_link(linked)

    def fail(self, cause: str) -> None:
        self._recorded.set_status(StatusCode.ERROR)
        self._recorded.set_attribute("error.type", cause)


def _resource(part: str) -> Resource:
    """The resource of the variables; the service is named after the part if they set no name."""
    resource = Resource.create()
    if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
        return resource.merge(Resource({SERVICE_NAME: f"scalpspectra-{part}"}))
    return resource


def _context(traceparent: str) -> Context:
    """The context of a `traceparent`; an empty one if it is invalid."""
    return _w3c.extract({_KEY: traceparent}, context=Context())


def _span_context(traceparent: str) -> SpanContext:
    return get_current_span(_context(traceparent)).get_span_context()
