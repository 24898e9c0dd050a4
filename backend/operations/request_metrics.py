"""Middleware for request metrics by route, method and status, and for the server span of a trace."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from opentelemetry.trace import SpanKind

from backend.operations.counters import HTTP_REQUESTS, HTTP_SECONDS
from backend.operations.tracing import mark_failed, span

#: Any other method counts as `other`, so that clients cannot create series.
KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
CHANGING_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class RequestMetrics:
    """Measures each request by its route, not by its path, which contains ids."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponse]) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.respond(request)
        held = "Preference-Applied" in response
        record_request(
            _route(request),
            str(request.method),
            response.status_code,
            None if held else time.perf_counter() - started,
        )
        return response


class RequestTraces:
    """Starts a trace for each request that changes something. Most others are polls, which `RequestMetrics` counts.

    A `traceparent` header is ignored: otherwise clients could choose what is collected, or join our traces.
    """

    def __init__(self, respond: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.TRACES:
            raise MiddlewareNotUsed
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in CHANGING_METHODS:
            return self.respond(request)
        with span(request.method, {"http.request.method": request.method}, kind=SpanKind.SERVER) as current:
            response = self.respond(request)
            route, status = _route(request), response.status_code
            current.update_name(f"{request.method} {route}")
            current.set_attributes({"http.route": route, "http.response.status_code": status})
            if status >= 500:
                mark_failed(current, str(status))
        return response


def record_request(route: str, method: str, status: int, seconds: float | None) -> None:
    """Count a request. `seconds` is None for long polls, whose duration the client chose."""
    HTTP_REQUESTS.labels(route, method if method in KNOWN_METHODS else "other", status).inc()
    if seconds is not None:
        HTTP_SECONDS.labels(route).observe(seconds)


def _route(request: HttpRequest) -> str:
    if request.resolver_match is None:  # Static files, and requests that were refused before routing.
        return "/static/" if request.path.startswith(settings.STATIC_URL) else "unresolved"
    route = request.resolver_match.route
    return "/admin/" if route.startswith("admin/") else f"/{route}"
