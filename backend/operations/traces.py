"""OpenTelemetry traces: how long each step of a photo takes, across all processes.

`start_tracing` enables them if the settings say so. Otherwise a span is a call that does nothing, and OpenTelemetry is
not imported: only `backend.operations.otlp` does.

Spans contain no paths, as that of a report is the key to it, and nothing that a person sent, as collectors are often
run by a third party. So OpenTelemetry's instrumentation of Django is not used, which records client, browser and URL.
Nor is that of Celery: it puts the context into the message, which may be lost and sent again. Here the context is in
the row.

A context is passed as a `traceparent` (https://www.w3.org/TR/trace-context/#traceparent-header), a string of 55
characters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Literal

from django.conf import settings

if TYPE_CHECKING:
    from backend.operations.otlp import Tracer

Attributes = Mapping[str, str | int]
SpanKindName = Literal["internal", "server", "producer", "consumer"]


class Span:
    """A span; this one is not recorded."""

    def rename(self, name: str) -> None:
        """Change the name."""

    def note(self, attributes: Attributes) -> None:
        """Add attributes."""

    def link(self, traceparent: str | None) -> None:
        """Link a span of another trace."""

    def fail(self, cause: str) -> None:
        """Mark it as failed. `cause` is the name of a class or a status, never a message, which could be private."""


_NO_SPAN = Span()
_tracer: Tracer | None = None


def start_tracing(part: str) -> None:
    """Record the spans of this process, which is the `part` of the service, if tracing is enabled."""
    global _tracer
    if settings.TRACES and _tracer is None:
        from backend.operations.otlp import Tracer

        _tracer = Tracer(part)


def stop_tracing() -> None:
    """Export the last spans before the process exits, without waiting long for an unavailable collector."""
    global _tracer
    tracer, _tracer = _tracer, None
    if tracer is not None:
        tracer.end()


def span(
    name: str,
    attributes: Attributes | None = None,
    *,
    kind: SpanKindName = "internal",
    parent: str | None = None,
    links: Sequence[str] = (),
) -> AbstractContextManager[Span]:
    """A span around the block, which also adds the trace id to every log line of this thread.

    It is a child of `parent`, a traceparent, if given, else of the current span of this thread, if any. An exception
    marks it as failed, by its class.
    """
    if _tracer is None:
        return nullcontext(_NO_SPAN)
    return _tracer.span(name, attributes or {}, kind, parent, links)


def span_shared(name: str, parents: Sequence[str | None], attributes: Attributes) -> AbstractContextManager[Span]:
    """A span of work for several parents: a child of the first sampled one, linked with the others.

    A trace of its own would be sampled independently of theirs.
    """
    known = [parent for parent in parents if parent]
    first = next(filter(_is_sampled, known), next(iter(known), None))
    return span(name, attributes, parent=first, links=[parent for parent in known if parent != first])


def span_past(name: str, seconds: float, *, parent: str | None = None) -> None:
    """A span that ends now and started `seconds` ago."""
    if _tracer is not None:
        _tracer.past(name, seconds, parent)


def traceparent() -> str | None:
    """The context of the current span of this thread, for others to continue; None without tracing."""
    return _tracer.traceparent() if _tracer is not None else None


def _is_sampled(traceparent: str) -> bool:
    """Whether the lowest bit of the flags, the last two characters, is set."""
    return traceparent[-1:] in set("13579bdf")
