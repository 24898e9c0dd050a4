"""Probes come by address, so they are answered before the host of a request is checked."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import resolve

#: Their answers contain nothing about anyone, and nothing in them depends on the host.
PATHS = frozenset({"/healthz", "/readyz", "/metrics"})


class Probes:
    """Answers kubelet, load balancers and Prometheus, which ask by the address of a pod and without TLS."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponse]) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info in PATHS and request.method in {"GET", "HEAD"}:
            request.resolver_match = resolve(request.path_info)  # The metrics of requests are by route.
            view: Callable[[HttpRequest], HttpResponse] = request.resolver_match.func
            response = view(request)
            response["Content-Length"] = str(len(response.content))  # Else it would be chunked.
            return response
        return self.respond(request)
