"""Traces of OpenTelemetry: how long each part of a photo's way takes, over all processes that it goes through.

`traces_begin` makes a process collect them, where the settings say so. Elsewhere a span costs a call that does nothing,
and nothing of OpenTelemetry is imported; `backend.operations.otlp` alone knows it.

A span says what was done, how long it took and how it ended. It has neither addresses, as that of a report is the key
to it, nor anything that a person sent: collectors are often somebody else's. So OpenTelemetry's instrumentation of
Django is not used, which keeps the sender's address and browser and the whole URL. Nor is that of Celery: it hands the
context on in the message, and the queue is a doorbell that may be lost and rung again. The context lies in the row.

A context travels as a `traceparent` (https://www.w3.org/TR/trace-context/#traceparent-header), a word of 55 letters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Literal

from django.conf import settings

if TYPE_CHECKING:
    from backend.operations.otlp import Tracer

Attributes = Mapping[str, str | int]
Kind = Literal["internal", "server", "producer", "consumer"]


class Span:
    """A part of the work; of this one nobody takes notice."""

    def rename(self, name: str) -> None:
        """Give it the name that was not known when it began."""

    def note(self, attributes: Attributes) -> None:
        """Add what was learnt meanwhile."""

    def link(self, traceparent: str | None) -> None:
        """Say that it has to do with a span of another trace."""

    def fail(self, cause: str) -> None:
        """Mark it as failed. `cause` is the name of a class or a status, never a text, which may hold anything."""


_UNNOTICED = Span()
_tracer: Tracer | None = None


def traces_begin(part: str) -> None:
    """Collect the spans of this process, as the `part` of the service that it is, if the settings want traces."""
    global _tracer
    if settings.TRACES and _tracer is None:
        from backend.operations.otlp import Tracer

        _tracer = Tracer(part)


def traces_end() -> None:
    """Hand over the last spans before the process ends, and do not wait long for a collector that is away."""
    global _tracer
    tracer, _tracer = _tracer, None
    if tracer is not None:
        tracer.end()


def span(
    name: str,
    attributes: Attributes | None = None,
    *,
    kind: Kind = "internal",
    parent: str | None = None,
    links: Sequence[str] = (),
) -> AbstractContextManager[Span]:
    """A span around what is done meanwhile, and the id of its trace in every line of this thread's log.

    It is a child of `parent`, a traceparent, if there is one, else of the span that this thread is in, if there is one.
    An exception marks it as failed, by its class.
    """
    if _tracer is None:
        return nullcontext(_UNNOTICED)
    return _tracer.span(name, attributes or {}, kind, parent, links)


def span_shared(name: str, parents: Sequence[str | None], attributes: Attributes) -> AbstractContextManager[Span]:
    """A span of work that is done for several at once: a child of the first that is collected, linked with the others.

    A trace of its own would be collected, or not, without regard to whether any of theirs is.
    """
    known = [parent for parent in parents if parent]
    first = next(filter(_is_collected, known), next(iter(known), None))
    return span(name, attributes, parent=first, links=[parent for parent in known if parent != first])


def span_past(name: str, seconds: float, *, parent: str | None = None) -> None:
    """A span that ends now and began so many seconds ago."""
    if _tracer is not None:
        _tracer.past(name, seconds, parent)


def traceparent() -> str | None:
    """The context of the span that this thread is in, for others to go on with; None where nobody collects any."""
    return _tracer.traceparent() if _tracer is not None else None


def _is_collected(traceparent: str) -> bool:
    """By its last two letters: eight flags, of which the lowest says `sampled`."""
    return traceparent[-1:] in set("13579bdf")
