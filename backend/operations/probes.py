"""Probes come by address, so they are answered before the host of a request is checked."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from backend.operations.views import healthz, metrics, readyz

#: They tell nothing of anybody, and nothing in them depends on the host.
_ANSWERED = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}


class Probes:
    """Answers kubelet, load balancers and Prometheus, which ask by the address of a pod and without TLS."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponse]) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return _ANSWERED.get(request.path_info, self.respond)(request)
