"""JSON as it is taken here: short, and not deep."""

from __future__ import annotations

import io
from typing import Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class ShortJSONParser(JSONParser):
    """Reads no more than Django reads of a form, DATA_UPLOAD_MAX_MEMORY_SIZE; DRF would take as much as a photo has.

    Ten megabytes of brackets are hundreds of megabytes as Python's lists. Those that are nested deeper than Python's
    parser goes raise RecursionError there, which DRF does not expect.
    """

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        assert limit is not None
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise ParseError
        try:
            return super().parse(io.BytesIO(body), media_type, parser_context)
        except RecursionError as error:
            raise ParseError from error
