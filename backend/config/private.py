"""Answers that are nobody else's."""

from __future__ import annotations

from typing import TypeVar

from django.http import HttpResponse

Response = TypeVar("Response", bound=HttpResponse)


def private(response: Response, retry_after: int | None = None) -> Response:
    """The answer, kept to whom it is for: it is not cached, and its address, which may hold an id, goes nowhere.

    `retry_after`: seconds after which it is worth asking again, if it is.
    """
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = "no-referrer"
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    return response


def private_picture(content: bytes, media_type: str) -> HttpResponse:
    """A picture as a private answer. Whatever its bytes are, nothing in them runs, and no other site can show it."""
    response = private(HttpResponse(content, content_type=media_type))
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Content-Disposition"] = "inline"
    return response
