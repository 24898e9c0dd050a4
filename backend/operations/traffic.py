"""Counts requests by route, method and status, measures how long they take, and begins their traces."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse

from backend.operations.measures import HTTP_REQUESTS, HTTP_SECONDS
from backend.operations.traces import span

#: Any other word that a stranger sends in place of a method counts as one.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Traffic:
    """Measures each request as one of its route, of which there are some dozens; never by an address, which has ids."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponse]) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = time.perf_counter()
        response = self.respond(request)
        held = "Preference-Applied" in response
        request_measure(
            _route(request),
            str(request.method),
            response.status_code,
            None if held else time.perf_counter() - begun,
        )
        return response


class Traced:
    """Begins the trace of each request that asks for a change: most of all others are polls, which `Traffic` counts.

    No context that comes along with a request is believed: else anybody could choose what is collected, or put a
    request of theirs into a trace of ours.
    """

    def __init__(self, respond: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.TRACES:
            raise MiddlewareNotUsed
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in CHANGES:
            return self.respond(request)
        with span(request.method, {"http.request.method": request.method}, kind="server") as traced:
            response = self.respond(request)
            route, status = _route(request), response.status_code
            traced.rename(f"{request.method} {route}")
            traced.note({"http.route": route, "http.response.status_code": status})
            if status >= 500:
                traced.fail(str(status))
        return response


def request_measure(route: str, method: str, status: int, seconds: float | None) -> None:
    """Count an answered request. `seconds` is None where the sender chose how long it took."""
    HTTP_REQUESTS.labels(route, method if method in METHODS else "other", status).inc()
    if seconds is not None:
        HTTP_SECONDS.labels(route).observe(seconds)


def _route(request: HttpRequest) -> str:
    if request.resolver_match is None:  # Static files, and what was refused before anybody asked where it leads.
        return "/static/" if request.path.startswith(settings.STATIC_URL) else "unresolved"
    route = request.resolver_match.route
    return "/admin/" if route.startswith("admin/") else f"/{route}"
