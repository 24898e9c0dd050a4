"""What every uploaded form passes before it is parsed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import TooManyFieldsSent
from django.core.files.uploadhandler import FileUploadHandler


class FewParts(FileUploadHandler):
    """Refuses a form of more parts than Django takes fields and files together; files go on to the next handler.

    Django counts fields and files, but no file whose field has no name: 200,000 of them, ten megabytes, kept it busy
    for 14 s, and every other thread of the process with it.
    """

    def handle_raw_input(  # type: ignore[override]  # The stubs say str of what is handed over as bytes.
        self, input_data: Any, meta: Any, content_length: int, boundary: bytes, encoding: str | None = None
    ) -> None:
        read, left = input_data.read, settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + settings.DATA_UPLOAD_MAX_NUMBER_FILES

        def counted(*size: int) -> bytes:
            nonlocal left
            chunk: bytes = read(*size)
            left -= chunk.count(b"--" + boundary)
            if left < 0:
                raise TooManyFieldsSent("The form has more parts than fields and files may be.")
            return chunk

        input_data.read = counted

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
