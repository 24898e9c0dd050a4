"""Responses that no cache may keep."""

from __future__ import annotations

from typing import TypeVar

from django.http import HttpResponse

Response = TypeVar("Response", bound=HttpResponse)


def private(response: Response, retry_after: int | None = None) -> Response:
    """The response, marked as not to be cached; its address, which may contain an id, is not sent as a referrer.

    `retry_after`: seconds until a retry is worthwhile.
    """
    for name, value in private_headers(retry_after).items():
        response[name] = value
    return response


def private_headers(retry_after: int | None = None) -> dict[str, str]:
    """The headers of a private response, for answers that are made without Django's classes too."""
    headers = {"Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer"}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return headers


def private_picture(content: bytes, media_type: str) -> HttpResponse:
    """A picture as a private response. Whatever its bytes are, nothing in them runs, and no other site can embed it."""
    response = private(HttpResponse(content, content_type=media_type))
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Content-Disposition"] = "inline"
    return response
