"""A WSGI fast path for polls of a status, which are most of the traffic.

A poll needs no session, user, form, message or template, and Django's middleware for these takes ten times as long as
reading the row.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from uuid import UUID
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host
from django.utils.http import parse_etags
from django.utils.translation import get_language_from_request

from backend.analyses.api.representation import analysis_json
from backend.analyses.selectors.status import AnalysisStatus, analysis_status
from backend.config.errors import UserError
from backend.config.security_headers import SECURITY_HEADERS
from backend.operations.middleware import request_id_of
from backend.operations.request_metrics import record_request

PATH_PATTERN = re.compile(r"/api/v1/analyses/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/")

#: The same route as `RequestMetrics` reports it.
ROUTE = "/api/v1/analyses/<uuid:analysis_id>/"

#: Requests with these headers take the slow path: they ask for a long poll, or for the language of a cookie.
_SLOW_PATH_HEADERS = ("HTTP_PREFER", "HTTP_COOKIE", "HTTP_TRANSFER_ENCODING")


class Polls:
    """Answers a GET for an analysis that is waiting or unchanged, exactly as the view would; passes on all others."""

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started = time.perf_counter()
        address = PATH_PATTERN.fullmatch(environ["PATH_INFO"])
        if address and environ["REQUEST_METHOD"] == "GET" and environ.keys().isdisjoint(_SLOW_PATH_HEADERS):
            answer = _answer(environ, UUID(address[1]))
            if answer is not None:
                status, headers, body = answer
                start_response(status, headers)
                record_request(ROUTE, "GET", int(status[:3]), time.perf_counter() - started)
                return body
        return self.application(environ, start_response)


def _answer(environ: WSGIEnvironment, analysis_id: UUID) -> tuple[str, list[tuple[str, str]], list[bytes]] | None:
    """Status, headers and body, or None if the analysis is neither waiting nor unchanged."""
    if not _is_allowed_host(environ.get("HTTP_HOST", "")):
        return None
    try:
        analysis = analysis_status(analysis_id)
    except (UserError, OperationalError, InterfaceError):
        return None
    finally:
        connection.close_if_unusable_or_obsolete()  # As Django does after each request.
    language = _language(environ.get("HTTP_ACCEPT_LANGUAGE", ""))
    etag = status_etag(analysis, language)
    headers = [
        ("ETag", etag),
        ("Cache-Control", "private, no-store"),
        ("Referrer-Policy", "no-referrer"),
        ("Vary", "Accept-Language"),
        ("X-Request-ID", request_id_of(environ)),
        *SECURITY_HEADERS.items(),
    ]
    if not analysis.ended:
        headers.append(("Retry-After", str(analysis.retry_after)))
    if not client_etags(environ).isdisjoint({etag, "*"}):
        return "304 Not Modified", headers, []
    if analysis.ended or analysis.code:
        return None
    body = json.dumps(analysis_json(analysis), ensure_ascii=False).encode()
    headers += [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Content-Language", language),
    ]
    return "200 OK", headers, [body]


def status_etag(analysis: AnalysisStatus, language: str) -> str:
    """An ETag that changes whenever the response does, except for the estimated time."""
    # The language is part of it, as the response contains texts.
    return f'"{analysis.version}.{language}"'


def client_etags(environ: dict[str, Any]) -> set[str]:
    """The ETags of `If-None-Match`, without the prefix of weak ones.

    A proxy that compresses makes them weak, which does not matter for a poll.
    """
    return {tag.removeprefix("W/") for tag in parse_etags(environ.get("HTTP_IF_NONE_MATCH", ""))}


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
