"""Traces by OpenTelemetry: how long each step of a photo takes, across all processes.

Every process calls OpenTelemetry's API, which does nothing until `start_tracing` gives it the SDK, if the settings say
so. The SDK and its exporter read their own variables: endpoint, headers, sampling (`OTEL_TRACES_SAMPLER`), and how many
spans may wait for an unavailable collector (`OTEL_BSP_MAX_QUEUE_SIZE`).

Spans contain no paths, as that of a report is the key to it, and nothing that a person sent, as collectors are often
run by a third party. So OpenTelemetry's instrumentation of Django is not used, which records client, browser and URL.
Nor is that of Celery: it puts the context into the message, which may be lost and sent again. Here the context is in
the row. The provider is not OpenTelemetry's global one either, as spans of libraries would go there.

A context is passed as a `traceparent` (https://www.w3.org/TR/trace-context/#traceparent-header), a string of 55
characters.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

#: The SDK would wait for half a minute, longer than a supervisor may.
SHUTDOWN_SECONDS = 3.0

_w3c = TraceContextTextMapPropagator()
_tracer: trace.Tracer = trace.NoOpTracer()
_provider: TracerProvider | None = None


def start_tracing(part: str) -> None:
    """Export the spans of this process, which is the `part` of the service, if tracing is enabled.

    A thread of the SDK exports them, so nothing waits for the collector.
    """
    global _provider, _tracer
    if not settings.TRACES or _provider is not None:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    # What the variables say comes last, so that a name of the service there wins.
    resource = Resource.create({SERVICE_NAME: f"scalpspectra-{part}"}).merge(OTELResourceDetector().detect())
    # No shutdown at exit by the SDK itself: the interpreter could not start its thread any more.
    _provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = _provider.get_tracer("scalpspectra")


def stop_tracing() -> None:
    """Export the last spans before the process exits, without waiting long for an unavailable collector."""
    global _provider, _tracer
    provider, _provider, _tracer = _provider, None, trace.NoOpTracer()
    if provider is not None:
        last = threading.Thread(target=provider.shutdown, name="last-spans", daemon=True)
        last.start()
        last.join(SHUTDOWN_SECONDS)


@contextmanager
def span(
    name: str,
    attributes: Mapping[str, str | int] | None = None,
    *,
    kind: trace.SpanKind = trace.SpanKind.INTERNAL,
    parent: str | None = None,
    links: Sequence[str] = (),
) -> Iterator[trace.Span]:
    """A span around a block or, as a decorator, a function; it also adds the trace id to log lines of this thread.

    It is a child of `parent`, a traceparent, if given, else of the current span of this thread, if any. An exception
    marks it as failed, by its class.
    """
    linked = [trace.Link(context) for context in map(_span_context, links) if context.is_valid]
    with _tracer.start_as_current_span(
        name,
        context=_context(parent) if parent else None,  # None is the thread's own.
        kind=kind,
        attributes=attributes,
        links=linked,
        # Messages of exceptions may contain anything.
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        context = current.get_span_context()
        ids = {"trace_id": trace.format_trace_id(context.trace_id)} if context.is_valid else {}
        with structlog.contextvars.bound_contextvars(**ids):
            try:
                yield current
            except BaseException as error:
                mark_failed(current, type(error).__name__)
                raise


def span_shared(
    name: str, parents: Sequence[str | None], attributes: Mapping[str, str | int]
) -> AbstractContextManager[trace.Span]:
    """A span of work for several parents: a child of the first sampled one, linked with the others.

    A trace of its own would be sampled independently of theirs.
    """
    known = [parent for parent in parents if parent]
    sampled = (parent for parent in known if _span_context(parent).trace_flags.sampled)
    first = next(sampled, next(iter(known), None))
    return span(name, attributes, parent=first, links=[parent for parent in known if parent != first])


def span_past(name: str, seconds: float, *, parent: str | None = None) -> None:
    """A span that ends now and started `seconds` ago."""
    now = time.time_ns()
    started = now - round(max(0.0, seconds) * 1e9)
    _tracer.start_span(name, context=_context(parent) if parent else None, start_time=started).end(now)


def mark_failed(current: trace.Span, cause: str) -> None:
    """Mark a span as failed. `cause` is the name of a class or a status, never a message, which could be private."""
    current.set_status(trace.StatusCode.ERROR)
    current.set_attribute("error.type", cause)


def add_link(current: trace.Span, traceparent: str | None) -> None:
    """Link a span with one of another trace; those of its own need no link."""
    context = _span_context(traceparent or "")
    if context.is_valid and context.trace_id != current.get_span_context().trace_id:
        current.add_link(context)


def traceparent() -> str | None:
    """The context of the current span of this thread, for others to continue; None without tracing."""
    carrier: dict[str, str] = {}
    _w3c.inject(carrier)
    return carrier.get("traceparent")


def _context(traceparent: str) -> Context:
    """The context of a `traceparent`; an empty one if it is invalid."""
    return _w3c.extract({"traceparent": traceparent}, context=Context())


def _span_context(traceparent: str) -> trace.SpanContext:
    return trace.get_current_span(_context(traceparent)).get_span_context()
