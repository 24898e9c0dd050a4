"""What every request passes: an id for the logs, guards, a bound on its body, its charset, a word for no database."""

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
    """The id that the sender or a proxy gave the request, if it looks like one, else a new one."""
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
    """Gives every answer the headers by which a browser guards it, unless the answer has better ones."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.respond(request)
        for name, value in SECURITY_HEADERS.items():
            response.setdefault(name, value)
        return response


class BodyLimit:
    """Refuses a body by its announced length, before any of it is parsed, and one that announces none.

    A little more than the limit is read and thrown away, so that a client that is still sending gets
    to hear the answer instead of a connection reset; past that it is cut off. Whoever breaks off in the
    middle of a body is told so as well, should they still hear: that is no error of ours.
    """

    DRAIN_BYTES = 24 * 1024 * 1024

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "CONTENT_LENGTH" not in request.META and request.headers.get("Transfer-Encoding"):
            # WSGI reads nothing of a body without a length: the sender would be told that the photo is missing.
            with override(get_language_from_request(request)):
                return error_response(request, 411)
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0  # So does Django: it reads nothing then.
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
    """Compresses pages and nothing else: what the API answers is short, and photos are compressed as they are.

    Django hides the length of what comes out behind random bytes, and each page has its token masked anew, so nobody
    guesses at a secret by it (https://docs.djangoproject.com/en/5.2/ref/middleware/#module-django.middleware.gzip).
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        page = response.headers.get("Content-Type", "").startswith("text/html")
        return super().process_response(request, response) if page else response


class PrivateRedirect(HttpResponsePermanentRedirect):
    """To the address with a slash at its end, which may hold the id of an analysis: no cache keeps it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        private(self)


class Slashes(CommonMiddleware):
    """Django's, whose redirects may be kept by any cache, for good."""

    response_redirect_class = PrivateRedirect


class FormsWithoutReferrer:
    """Tells Django's CSRF check where the forms of our private pages come from.

    A page that says `no-referrer` sends its forms with `Origin: null`
    (https://fetch.spec.whatwg.org/#append-a-request-origin-header), which the check refuses. Browsers say in
    `Sec-Fetch-Site`, which no page can forge, whether it was ours. Over plain HTTP to another machine they do not, and
    Safari before 16.4 never does. Then the token of the form decides alone, as a refusal would keep people from
    erasing what is theirs; a stranger needs the address of the analysis as well, which nobody can guess. The admin has
    a session to protect, and its pages say where they come from: there nothing is believed without it.
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
    """Reads every form as UTF-8, as browsers send it, and not by a charset of the sender's choice.

    Python has codecs that are none for text (rot13), or that fail or yield lone surrogates in ways of their own
    (idna, utf-7): each of them was an error of ours.
    """

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.encoding = "utf-8"
        return self.respond(request)


class DatabaseUnavailable:
    """Answers 503 while the database can't be reached or is locked: the sender may try again, we did not fail."""

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
