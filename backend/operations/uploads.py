"""An upload handler that limits the number of parts of a form."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import TooManyFieldsSent
from django.core.files.uploadhandler import FileUploadHandler


class PartLimit(FileUploadHandler):
    """Refuses a form with more parts than Django allows fields and files; passes files on to the next handler.

    Django does not count files whose field has no name: 200,000 of them, ten megabytes, blocked all threads of the
    process for 14 s.
    """

    def handle_raw_input(  # type: ignore[override]  # The stubs say str of what is handed over as bytes.
        self, input_data: Any, meta: Any, content_length: int, boundary: bytes, encoding: str | None = None
    ) -> None:
        read, left = input_data.read, settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + settings.DATA_UPLOAD_MAX_NUMBER_FILES

        def read_and_count(*size: int) -> bytes:
            nonlocal left
            chunk: bytes = read(*size)
            left -= chunk.count(b"--" + boundary)
            if left < 0:
                raise TooManyFieldsSent("The form has more parts than allowed.")
            return chunk

        input_data.read = read_and_count

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
