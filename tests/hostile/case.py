"""One upload of the corpus, and how a form is put together by hand."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

ANALYSES: Final = "/api/v1/analyses/"
BOUNDARY: Final = b"hair-by-hair"
ANSWERS: Final = {"sex": "female", "age": "30s", "consent": "true"}

#: What a photo may be answered with, whatever is wrong with it.
PHOTO: Final = frozenset({202, 413, 415, 422})
ACCEPTED: Final = frozenset({202})
REFUSED: Final = frozenset({413, 415, 422})
UNSUPPORTED: Final = frozenset({415})
#: What a form may be answered with that is none.
FORM: Final = frozenset({202, 400, 406, 413, 415, 422})
NO_FORM: Final = FORM - {202}


@dataclass(frozen=True)
class Upload:
    """A request to send a photo: the bytes of its body and what it says of them."""

    body: bytes
    content_type: str | None = f"multipart/form-data; boundary={BOUNDARY.decode()}"
    headers: Mapping[str, str] = field(default_factory=dict)
    chunked: bool = False


@dataclass(frozen=True)
class Case:
    """`make` is called again each time: all of the corpus at once would not fit into memory."""

    family: str
    name: str
    make: Callable[[], Upload]
    statuses: frozenset[int] = PHOTO

    def __str__(self) -> str:
        return f"{self.family}: {self.name}"


def part(name: bytes, content: bytes, *more: bytes, disposition: bytes = b"form-data") -> bytes:
    """A part of a form without its boundary; `more` are further lines of its head, or of the disposition's if they
    begin with a semicolon."""
    of_disposition = b"".join(line for line in more if line.startswith(b";"))
    lines = [b"Content-Disposition: " + disposition + b'; name="' + name + b'"' + of_disposition]
    lines += [line for line in more if not line.startswith(b";")]
    return b"\r\n".join(lines) + b"\r\n\r\n" + content


def answers(**changed: str) -> list[bytes]:
    return [part(name.encode(), value.encode()) for name, value in {**ANSWERS, **changed}.items()]


def photo_part(photo: bytes, file_name: bytes = b"photo.jpg", media_type: bytes = b"image/jpeg") -> bytes:
    return part(b"photo", photo, b'; filename="' + file_name + b'"', b"Content-Type: " + media_type)


def form(*parts: bytes, boundary: bytes = BOUNDARY, end: bytes | None = None) -> bytes:
    """The parts between their boundaries; `end` instead of the last one."""
    body = b"".join(b"--" + boundary + b"\r\n" + each + b"\r\n" for each in parts)
    return body + (b"--" + boundary + b"--\r\n" if end is None else end)


def with_photo(photo: bytes, file_name: bytes = b"photo.jpg", media_type: bytes = b"image/jpeg") -> Upload:
    """A form that is fine but for its photo."""
    return Upload(form(*answers(), photo_part(photo, file_name, media_type)))


def photo_case(
    family: str, name: str, photo: Callable[[], bytes], statuses: frozenset[int] = PHOTO, **told: bytes
) -> Case:
    return Case(family, name, functools.partial(_upload, photo, told), statuses)


def _upload(photo: Callable[[], bytes], told: Mapping[str, bytes]) -> Upload:
    return with_photo(photo(), **told)
