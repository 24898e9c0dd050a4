"""Polls of a status: most of them are answered ahead of Django (`Polls`), all others by a view (`poll_response`).

A poll needs no session, user, form, message or template, and Django's middleware for these takes ten times as long as
reading the row. Both ways have the answer from `status_answer`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from functools import lru_cache
from http import HTTPStatus
from uuid import UUID
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host
from django.utils.translation import get_language, get_language_from_request

from backend.analyses.api.status_answer import StatusAnswer, client_etags, is_known, status_answer, status_etag
from backend.analyses.selectors.status import AnalysisStatus, analysis_status
from backend.config.errors import UserError
from backend.config.problems import user_error_response
from backend.config.security_headers import SECURITY_HEADERS
from backend.operations.long_polling import preferred_wait, wait_for
from backend.operations.middleware import request_id_of
from backend.operations.request_metrics import record_request

PATH_PATTERN = re.compile(r"/api/v1/analyses/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/")

#: The same route as `RequestMetrics` reports it.
ROUTE = "/api/v1/analyses/<uuid:analysis_id>/"

#: Requests with these headers take the slow path: they ask for a long poll, or for the language of a cookie.
_SLOW_PATH_HEADERS = ("HTTP_PREFER", "HTTP_COOKIE", "HTTP_TRANSFER_ENCODING")
_STATUS_LINES = {int(status): f"{status.value} {status.phrase}" for status in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED)}


class Polls:
    """Answers a GET for an analysis that is waiting or unchanged; passes on all other requests."""

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started = time.perf_counter()
        address = PATH_PATTERN.fullmatch(environ["PATH_INFO"])
        if address and environ["REQUEST_METHOD"] == "GET" and environ.keys().isdisjoint(_SLOW_PATH_HEADERS):
            answer = _answer(environ, UUID(address[1]))
            if answer is not None:
                own = {"X-Request-ID": request_id_of(environ), **SECURITY_HEADERS}
                start_response(_STATUS_LINES[answer.status], [*answer.headers.items(), *own.items()])
                record_request(ROUTE, "GET", answer.status, time.perf_counter() - started)
                return [answer.body] if answer.body else []
        return self.application(environ, start_response)


def poll_response(request: HttpRequest, analysis_id: UUID) -> HttpResponse:
    """Django's answer to a poll, which with `Prefer: wait` is held until something changes."""
    known, language = client_etags(request.headers.get("If-None-Match", "")), get_language() or settings.LANGUAGE_CODE
    first: list[str] = []

    def changed(analysis: AnalysisStatus) -> bool:
        # A client that shows its last ETag waits for any change, another one for the next status.
        if known:
            return analysis.ended or not is_known(status_etag(analysis, language), known)
        first.append(analysis.status)
        return analysis.ended or analysis.status != first[0]

    try:
        seconds = preferred_wait(request)
        analysis, held = wait_for(lambda: analysis_status(analysis_id), changed, seconds, str(analysis_id))
        answer = status_answer(analysis, language, known, waited=seconds if held else None)
    except UserError as error:
        return user_error_response(request, error)
    return HttpResponse(answer.body, status=answer.status, headers=answer.headers)


def _answer(environ: WSGIEnvironment, analysis_id: UUID) -> StatusAnswer | None:
    """The answer, or None if the analysis is neither waiting nor unchanged."""
    if not _is_allowed_host(environ.get("HTTP_HOST", "")):
        return None
    language = _language(environ.get("HTTP_ACCEPT_LANGUAGE", ""))
    known = client_etags(environ.get("HTTP_IF_NONE_MATCH", ""))
    try:
        analysis = analysis_status(analysis_id)
        if analysis.ended and not is_known(status_etag(analysis, language), known):
            return None
        return status_answer(analysis, language, known)
    except (UserError, OperationalError, InterfaceError):
        return None
    finally:
        connection.close_if_unusable_or_obsolete()  # As Django does after each request.


@lru_cache(256)
def _language(accepted: str) -> str:
    """The language that Django would choose for this `Accept-Language` without a cookie."""
    request = HttpRequest()
    request.META["HTTP_ACCEPT_LANGUAGE"] = accepted
    return get_language_from_request(request)


@lru_cache(256)
def _is_allowed_host(host: str) -> bool:
    domain, _port = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)
