"""Which format an answer of the API has."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation


class AlwaysJSON(DefaultContentNegotiation):
    """JSON, whatever the client accepts.

    RFC 9110, section 12.4.1 lets a server disregard Accept. Clients generated from an OpenAPI document accept only what
    an operation declares, such as `application/problem+json` where success has no body: they could not erase.
    """

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            return renderers[0], renderers[0].media_type

    def filter_renderers(self, renderers: Any, format: str) -> Any:
        """`?format=` only chooses where there is a choice."""
        return super().filter_renderers(renderers, format) if len(renderers) > 1 else renderers
