"""Middleware: request ids, security headers, body limits, charset, and 503 without a database."""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponsePermanentRedirect,
    UnreadablePostError,
)
from django.middleware.common import CommonMiddleware
from django.middleware.gzip import GZipMiddleware
from django.urls import reverse
from django.utils.translation import get_language_from_request, override

from backend.config.private_responses import private
from backend.config.problems import error_response
from backend.config.security_headers import SECURITY_HEADERS
from backend.operations.logs import bind_request_id

log = structlog.get_logger(__name__)

Respond = Callable[[HttpRequest], HttpResponse]

REQUEST_ID_PATTERN = re.compile(r"[0-9A-Za-z-]{8,64}")


def request_id_of(environ: Mapping[str, Any]) -> str:
    """The id that the client or a proxy gave the request, if valid, else a new one."""
    given = environ.get("HTTP_X_REQUEST_ID", "")
    return given if REQUEST_ID_PATTERN.fullmatch(given) else uuid.uuid4().hex


class RequestLog:
    """Binds a request id to every log line, and returns it as `X-Request-ID`."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = request_id_of(request.META)
        with bind_request_id(request_id):
            response = self.respond(request)
        response["X-Request-ID"] = request_id
        return response


class SecurityHeaders:
    """Adds the security headers that a response does not set itself."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.respond(request)
        for name, value in SECURITY_HEADERS.items():
            response.setdefault(name, value)
        return response


class BodyLimit:
    """Refuses a body that is too long by its Content-Length, before parsing it, and one without a Content-Length.

    A little more than the limit is read and discarded, so that a client that is still sending receives the response
    instead of a connection reset; then it is cut off. A client that disconnects during the body is not a server error.
    """

    DRAIN_BYTES = 24 * 1024 * 1024

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "CONTENT_LENGTH" not in request.META and request.headers.get("Transfer-Encoding"):
            # WSGI reads nothing of a body without a length: the response would be that the photo is missing.
            with override(get_language_from_request(request)):
                return error_response(request, 411)
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0  # As in Django, which then reads nothing.
        if length <= settings.BODY_MAX_BYTES:
            return self.respond(request)
        left = min(length, self.DRAIN_BYTES)
        with contextlib.suppress(OSError):
            while left > 0 and (chunk := request.META["wsgi.input"].read(min(left, 65536))):
                left -= len(chunk)
        with override(get_language_from_request(request)):
            return error_response(request, 413)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return error_response(request, 400) if isinstance(exception, UnreadablePostError) else None


class CompressedPages(GZipMiddleware):
    """Compresses pages only: responses of the API are short, and photos are already compressed.

    Django adds random bytes to hide the compressed length, and masks the CSRF token afresh in each page, which prevents
    BREACH (https://docs.djangoproject.com/en/5.2/ref/middleware/#module-django.middleware.gzip).
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        page = response.headers.get("Content-Type", "").startswith("text/html")
        return super().process_response(request, response) if page else response


class PrivateRedirect(HttpResponsePermanentRedirect):
    """A redirect to a path that may contain the id of an analysis, so it must not be cached."""

    status_code = 308

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        private(self)


class Slashes(CommonMiddleware):
    """Django's middleware, whose redirects any cache could keep forever.

    308 and not 301, after which clients send a GET without the photo (RFC 9110, section 15.4.2).
    """

    response_redirect_class = PrivateRedirect


class IdsInAnyCase:
    """Reads ids in capital letters as well, which is how some platforms write UUIDs (RFC 9562, section 4)."""

    UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.path_info = self.UUID.sub(lambda found: found[0].lower(), request.path_info)
        request.path = self.UUID.sub(lambda found: found[0].lower(), request.path)
        return self.respond(request)


class FormsWithoutReferrer:
    """Sets the origin of forms on private pages for Django's CSRF check.

    Pages with `no-referrer` send forms with `Origin: null`
    (https://fetch.spec.whatwg.org/#append-a-request-origin-header), which the check refuses. Browsers send
    `Sec-Fetch-Site`, which pages cannot forge, but not over plain HTTP to another machine, and Safari only since 16.4.
    Without it the token of the form decides alone: a refusal would keep people from erasing their data, and an attacker
    also needs the address of the analysis, which cannot be guessed. The admin has a session to protect, and its pages
    send their origin, so it is excluded.
    """

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if (
            request.META.get("HTTP_ORIGIN") == "null"
            and request.META.get("HTTP_SEC_FETCH_SITE") in {None, "same-origin"}
            and not request.path.startswith(reverse("admin:index"))
        ):
            request.META["HTTP_ORIGIN"] = f"{request.scheme}://{request.get_host()}"
        return self.respond(request)


class FormsInUTF8:
    """Reads every form as UTF-8, as browsers send it, and not in a charset that the client chooses.

    Some of Python's codecs are not for text (rot13), or fail or return lone surrogates (idna, utf-7): each of them was
    a server error.
    """

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.encoding = "utf-8"
        return self.respond(request)


class DatabaseUnavailable:
    """Answers 503 if the database is unavailable or locked, so that clients try again."""

    RETRY_SECONDS = 5

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.respond(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, (OperationalError, InterfaceError)):
            return None
        log.error("database_unavailable", cause=repr(exception))
        response = error_response(request, 503)
        response["Retry-After"] = str(self.RETRY_SECONDS)
        return response
