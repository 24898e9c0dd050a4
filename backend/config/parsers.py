"""A JSON parser with limits on length and depth."""

from __future__ import annotations

import io
from typing import Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class ShortJSONParser(JSONParser):
    """Reads at most DATA_UPLOAD_MAX_MEMORY_SIZE, as Django does for forms; DRF would accept a body as large as a photo.

    Ten megabytes of brackets become hundreds of megabytes of Python lists. Deeply nested ones raise RecursionError in
    Python's parser, which DRF does not expect.
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
