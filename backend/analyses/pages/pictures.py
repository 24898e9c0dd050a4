"""Answers that are pictures, and nobody else's."""

from __future__ import annotations

from django.http import HttpResponse

from backend.config.private import private


def picture_response(content: bytes, media_type: str) -> HttpResponse:
    """A private picture. Whatever its bytes are, nothing in them runs, and no page of another site can show it."""
    response = private(HttpResponse(content, content_type=media_type))
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
