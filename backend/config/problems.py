"""Errors over HTTP as `application/problem+json` (RFC 9457), with a stable `code`, in the client's language."""

from __future__ import annotations

import time
import uuid
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import DisallowedHost, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.encoding import escape_uri_path
from django.utils.functional import Promise
from django.utils.translation import get_language
from rest_framework import exceptions
from rest_framework.views import set_rollback

from backend.config.errors import COMMON, InvalidFields, UserError
from backend.config.private_responses import private

log = structlog.get_logger(__name__)


class LogLimit:
    """Allows one log line a minute in this process."""

    def __init__(self) -> None:
        self._next = 0.0

    def allow_one(self) -> bool:
        now = time.monotonic()
        allowed = now >= self._next
        if allowed:
            self._next = now + 60
        return allowed


_host_lines = LogLimit()


def problem_response(
    request: HttpRequest, *, status: int, code: str, detail: str | Promise, **members: Any
) -> HttpResponse:
    """A problem document; `members` are its extension members (RFC 9457, section 3.2)."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": str(detail),
        "instance": escape_uri_path(request.path),
        **members,
    }
    response = JsonResponse(
        body,
        status=status,
        content_type="application/problem+json",
        json_dumps_params={"ensure_ascii": False},
    )
    response["Content-Language"] = get_language() or "ko"
    response["Vary"] = "Accept-Language, Cookie"
    return private(response)


def user_error_response(request: HttpRequest, error: UserError) -> HttpResponse:
    """The problem document for a user error."""
    members: dict[str, Any] = {}
    if isinstance(error, InvalidFields):
        members["errors"] = [{"field": e.field, "code": e.code, "detail": str(e.detail)} for e in error.errors]
    response = problem_response(request, status=error.status, code=error.code, detail=error.detail, **members)
    return private(response, error.retry_after)


def problem_handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's exception handler: a problem document for user errors and for what DRF raises; None for all else."""
    request = context["request"]
    set_rollback()
    if isinstance(error, UserError):
        return user_error_response(request, error)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    code, detail = COMMON.get(error.status_code, COMMON[400])
    response = problem_response(request, status=error.status_code, code=code, detail=detail)
    wait = getattr(error, "wait", None)
    if wait is not None:
        response["Retry-After"] = str(max(1, int(wait)))
    if isinstance(error, exceptions.MethodNotAllowed) and (view := context.get("view")):
        response["Allow"] = ", ".join(view.allowed_methods)
    return response


def error_response(request: HttpRequest, status: int, **members: Any) -> HttpResponse:
    """The response for errors outside of views: a problem document under /api/, else a page."""
    code, detail = COMMON[status]
    if request.path.startswith("/api/"):
        return problem_response(request, status=status, code=code, detail=detail, **members)
    return render(request, "problem.html", {"status": status, "detail": detail, **members}, status=status)


def handler_400(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, DisallowedHost) and _host_lines.allow_one():
        # Anyone who forgot the setting finds it here, and scanners do not fill the log.
        log.warning("host_refused", host=str(request.META.get("HTTP_HOST", ""))[:100], setting="SCALP_ALLOWED_HOSTS")
    return error_response(request, 400)


def handler_403(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_response(request, 403)


def handler_404(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_response(request, 404)


def handler_500(request: HttpRequest) -> HttpResponse:
    incident = uuid.uuid4().hex[:12]
    log.error(
        "internal_error",
        incident=incident,
        path=request.resolver_match and request.resolver_match.route,
        exc_info=True,
    )
    return error_response(request, 500, incident=incident)
