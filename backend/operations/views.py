"""Health checks and metrics, the staff check for the proxy, and the throttled admin login."""

from __future__ import annotations

from dataclasses import asdict

import structlog
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from backend.operations.collectors import exposition
from backend.operations.health import readiness
from backend.operations.login_throttle import login_wait, remember_browser

log = structlog.get_logger(__name__)

PATH_MAX_LOGGED = 200


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Liveness: this process answers. Database and workers are not checked, as a restart would not repair them."""
    return JsonResponse({"alive": True})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Readiness: whether a new photo would be analyzed, and if not, why. `reasons` and `warnings` hold stable codes."""
    found = readiness()
    return JsonResponse(asdict(found), status=200 if found.ready else 503)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


@never_cache
def login(request: HttpRequest) -> HttpResponse:
    """The admin's login, throttled."""
    if request.method == "POST" and (wait := login_wait(request)):
        detail = gettext("There were too many tries to log in. Please wait a minute and try again.")
        response = render(request, "problem.html", {"status": 429, "detail": detail, "again": True}, status=429)
        response["Retry-After"] = str(int(wait) + 1)
        return response
    response = admin.site.login(request)
    if request.method == "POST" and request.user.is_authenticated:
        remember_browser(request, response)
    return response


@never_cache
def staff(request: HttpRequest) -> HttpResponse:
    """For the proxy's sub-request: whether the user may open Flower. 401: log in first; 403: may not.

    Flower shows what the queue does, so it takes the permission to see analyses. Every request is in the log.
    """
    user = request.user
    if not (user.is_authenticated and user.is_active and user.is_staff):
        return HttpResponse(status=401)
    allowed = user.has_perm("analyses.view_analysis")
    page = request.headers.get("X-Original-URI", "").partition("?")[0][:PATH_MAX_LOGGED]
    log.info("flower_requested", staff=user.pk, page=page, allowed=allowed)
    return HttpResponse(status=204 if allowed else 403)
