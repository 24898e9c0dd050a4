"""Forms that are none, or that are put together as no browser would."""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable, Iterator

from tests.hostile import formats
from tests.hostile.case import (
    ACCEPTED,
    ANSWERS,
    BOUNDARY,
    FORM,
    NO_FORM,
    Case,
    Upload,
    answers,
    form,
    part,
    photo_part,
)


@functools.cache
def photo() -> bytes:
    return formats.ACCEPTED["JPEG"]()


def whole() -> list[bytes]:
    """The parts of a form that is fine."""
    return [*answers(), photo_part(photo())]


MULTIPART = f"multipart/form-data; boundary={BOUNDARY.decode()}"


def forms() -> Iterator[Case]:
    for name, make in _BODIES.items():
        yield Case("form", name, functools.partial(_uploaded, make), FORM)
    for name, content_type in _CONTENT_TYPES.items():
        yield Case("content type", name, functools.partial(_called, content_type), FORM)
    for name, make in _PARTS.items():
        yield Case("part", name, functools.partial(_of_parts, make), FORM)
    for field in ANSWERS:
        for value, told in _VALUES.items():
            make = functools.partial(_with_answer, field, told)
            yield Case("answer", f"{field}, {value}", make, NO_FORM)
    for name, headers in _HEADERS.items():
        yield Case("header", name, functools.partial(_with_headers, headers), FORM)
    for name, (head, many) in _MANY.items():
        yield Case("many parts", name, functools.partial(_many, head, many), FORM)
    yield Case("form", "chunked", lambda: Upload(form(*whole()), MULTIPART, chunked=True), frozenset({411}))
    yield Case("form", "as it should be", lambda: Upload(form(*whole())), ACCEPTED)


def _many(head: bytes, many: int) -> Upload:
    """`many` empty parts with this head, between the shortest boundaries."""
    body = form(*whole(), boundary=b"x", end=b"") + (b"--x\r\n" + head) * many + b"--x--\r\n"
    return Upload(body, "multipart/form-data; boundary=x")


def _uploaded(make: Callable[[], bytes]) -> Upload:
    return Upload(make())


def _called(content_type: str | None) -> Upload:
    return Upload(form(*whole()), content_type)


def _of_parts(make: Callable[[], list[bytes]]) -> Upload:
    return Upload(form(*make()))


def _with_answer(field: str, value: bytes) -> Upload:
    others = [part(name.encode(), said.encode()) for name, said in ANSWERS.items() if name != field]
    return Upload(form(*others, part(field.encode(), value), photo_part(photo())))


def _with_headers(headers: dict[str, str]) -> Upload:
    return Upload(form(*whole()), headers=headers)


def _nested(deep: int) -> bytes:
    inside = b"male"
    for level in range(deep):
        mark = b"b%d" % level
        head = (
            b"Content-Type: multipart/mixed; boundary="
            + mark
            + b'\r\nContent-Disposition: form-data; name="sex"\r\n\r\n'
        )
        inside = b"--" + mark + b"\r\n" + head + inside + b"\r\n--" + mark + b"--\r\n"
    return inside


_BODIES: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "one byte": lambda: b"-",
    "zeros": lambda: bytes(100_000),
    "no boundary in it": lambda: b"x" * 100_000,
    "boundaries alone": lambda: (b"--" + BOUNDARY + b"\r\n") * 20_000,
    "the last boundary alone": lambda: b"--" + BOUNDARY + b"--\r\n",
    "without the last boundary": lambda: form(*whole(), end=b""),
    "the last boundary cut": lambda: form(*whole(), end=b"--" + BOUNDARY[:-1]),
    "line feeds alone": lambda: form(*whole()).replace(b"\r\n", b"\n"),
    "a preamble of a megabyte": lambda: b"x" * 2**20 + b"\r\n" + form(*whole()),
    "an epilogue of nine megabytes": lambda: form(*whole()) + b"x" * 9 * 2**20,
    "another form behind it": lambda: form(*whole()) + form(*whole()),
    "a request behind it": lambda: form(*whole()) + b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "nested a hundred deep": lambda: form(part(b"sex", _nested(100), b"Content-Type: multipart/mixed; boundary=b99")),
    "boundary without its dashes": lambda: form(*whole()).replace(b"--" + BOUNDARY, BOUNDARY),
    "boundary with spaces behind": lambda: form(*whole()).replace(BOUNDARY + b"\r\n", BOUNDARY + b"   \r\n"),
    "UTF-16": lambda: form(*whole()).decode("latin-1").encode("utf-16"),
    "URL encoded": lambda: b"sex=male&age=20s&consent=true",
    "JSON": lambda: b'{"sex": "male"}',
    "the photo as it is": photo,
}
_MANY: dict[str, tuple[bytes, int]] = {
    "two million of nothing": (b"", 2_000_000),
    "two million line feeds": (b"\r\n", 1_400_000),
    "heads that never end": (b"X", 1_600_000),
    "fields without a name": (b"Content-Disposition:form-data\r\n\r\n\r\n", 240_000),
    "fields with a name": (b"Content-Disposition:form-data;name=a\r\n\r\n\r\n", 200_000),
    "files without a name": (b"Content-Disposition:form-data;filename=a\r\n\r\n\r\n", 200_000),
    "files whose name is none": (b"Content-Disposition:form-data;name=a;filename=.\r\n\r\n\r\n", 180_000),
}
_CONTENT_TYPES: dict[str, str | None] = {
    "none": None,
    "empty": "",
    "no boundary": "multipart/form-data",
    "an empty boundary": "multipart/form-data; boundary=",
    "an empty boundary in quotes": 'multipart/form-data; boundary=""',
    "another boundary": "multipart/form-data; boundary=other",
    "a boundary of 70 letters": "multipart/form-data; boundary=" + "x" * 70,
    "a boundary of 7,000 letters": "multipart/form-data; boundary=" + "x" * 7000,
    "two boundaries": f"{MULTIPART}; boundary=other",
    "a boundary of odd letters": 'multipart/form-data; boundary="\xff\xfe"',
    "a boundary that is a pattern": "multipart/form-data; boundary=(a+)+$",
    "a boundary in RFC 5987": f"multipart/form-data; boundary*=UTF-8''{BOUNDARY.decode()}",
    "a boundary in RFC 5987, rot13": f"multipart/form-data; boundary*=rot13''{BOUNDARY.decode()}",
    "mixed": f"multipart/mixed; boundary={BOUNDARY.decode()}",
    "related": f"multipart/related; boundary={BOUNDARY.decode()}",
    "capitals": f"MULTIPART/FORM-DATA; BOUNDARY={BOUNDARY.decode()}",
    "charset rot13": f"{MULTIPART}; charset=rot13",
    "charset utf-7": f"{MULTIPART}; charset=utf-7",
    "charset idna": f"{MULTIPART}; charset=idna",
    "charset undefined": f"{MULTIPART}; charset=undefined",
    "JSON": "application/json",
    "JSON beside": f"{MULTIPART}, application/json",
    "URL encoded": "application/x-www-form-urlencoded",
    "an image": "image/jpeg",
    "a thousand parameters": MULTIPART + "; a=b" * 1000,
    "no type at all": "; boundary=x",
    "a type of slashes": "//////",
    "a star": "*/*",
}
_PARTS: dict[str, Callable[[], list[bytes]]] = {
    "every field twice, the last one good": lambda: [
        *(part(name.encode(), b"nonsense") for name in ANSWERS), photo_part(b"no photo"), *whole(),
    ],
    "every field twice, the first one good": lambda: [
        *whole(), *(part(name.encode(), b"nonsense") for name in ANSWERS),
    ],
    "two photos": lambda: [*whole(), photo_part(formats.ACCEPTED["PNG"]())],
    "a photo as a field": lambda: [*answers(), part(b"photo", photo())],
    "a photo as a field and a file": lambda: [*whole(), part(b"photo", b"text")],
    "answers as files": lambda: [
        *(part(name.encode(), value.encode(), b'; filename="a"') for name, value in ANSWERS.items()),
        photo_part(photo()),
    ],
    "5,000 fields": lambda: [*whole(), *(part(b"f%d" % n, b"x") for n in range(5000))],
    "5,000 files": lambda: [*whole(), *(part(b"f%d" % n, b"x", b'; filename="x"') for n in range(5000))],
    "50,000 nameless parts": lambda: [*whole(), *[b"\r\n"] * 50_000],
    "50,000 parts without a head": lambda: [*whole(), *[b""] * 50_000],
    "a field of nine megabytes": lambda: [*whole(), part(b"more", b"x" * 9 * 2**20)],
    "a field whose name has a megabyte": lambda: [*whole(), part(b"n" * 2**20, b"x")],
    "a head of a megabyte": lambda: [*whole(), part(b"more", b"x", b"X-Long: " + b"x" * 2**20)],
    "a head of 20,000 lines": lambda: [*whole(), part(b"more", b"x", *[b"X-Line: x"] * 20_000)],
    "a head that never ends": lambda: [*whole(), b"Content-Disposition: form-data; name=" + b"x" * 5 * 2**20],
    "a header put into a name": lambda: [*whole(), part(b'x"\r\nSet-Cookie: a=b\r\nX: "', b"x")],
    "a header put into a file's name": lambda: [*answers(), photo_part(photo(), b'a.jpg"\r\nX-Evil: 1\r\nX: "')],
    "a null byte in a name": lambda: [*whole(), part(b"a\0b", b"x")],
    "names that are not UTF-8": lambda: [*whole(), part(b"\xff\xfe", b"\xff\xfe")],
    "a name that pollutes": lambda: [
        *whole(), part(b"__proto__[x]", b"x"), part(b"photo[]", b"x"), part(b"sex.$ne", b""),
    ],
    "no name": lambda: [*whole(), b"Content-Disposition: form-data\r\n\r\nx"],
    "no disposition": lambda: [*whole(), b"Content-Type: text/plain\r\n\r\nx"],
    "an attachment": lambda: [*answers(), part(b"photo", photo(), b'; filename="a.jpg"', disposition=b"attachment")],
    "a transfer encoding of base64 that is none": lambda: [
        *answers(), part(b"photo", photo(), b'; filename="a.jpg"', b"Content-Transfer-Encoding: base64"),
    ],
    "base64 of nine megabytes of spaces": lambda: [
        *answers(),
        part(b"photo", b" " * 9 * 2**20, b'; filename="a.jpg"', b"Content-Transfer-Encoding: base64"),
    ],
    "base64 of a photo": lambda: [
        *answers(),
        part(
            b"photo", base64.encodebytes(photo()), b'; filename="a.jpg"', b"Content-Transfer-Encoding: base64",
        ),
    ],
    "base64 for the answers": lambda: [
        part(b"sex", b"ZmVtYWxl", b"Content-Transfer-Encoding: base64"), *whole()[1:],
    ],
    "base64 of one letter": lambda: [part(b"sex", b"Z", b"Content-Transfer-Encoding: base64"), *whole()[1:]],
    "quoted printable": lambda: [
        part(b"sex", b"=66emale", b"Content-Transfer-Encoding: quoted-printable"), *whole()[1:],
    ],
    "an unknown transfer encoding": lambda: [*whole(), part(b"x", b"x", b"Content-Transfer-Encoding: \xff")],
    "a length that lies": lambda: [*answers(), part(b"photo", photo(), b'; filename="a.jpg"', b"Content-Length: 3")],
    "a length of terabytes": lambda: [
        *answers(), part(b"photo", photo(), b'; filename="a.jpg"', b"Content-Length: 9999999999999"),
    ],
    "a length that is nonsense": lambda: [
        *answers(), part(b"photo", photo(), b'; filename="a.jpg"', b"Content-Length: x"),
    ],
    "a part inside of a part": lambda: [
        *answers(), part(b"photo", form(*whole(), boundary=b"in"), b"Content-Type: multipart/mixed; boundary=in"),
    ],
    "a charset for one part": lambda: [
        part(b"sex", b"female", b"Content-Type: text/plain; charset=rot13"), *whole()[1:],
    ],
    "_charset_": lambda: [part(b"_charset_", b"utf-7"), *whole()],
    "a folded head": lambda: [*whole(), b"Content-Disposition:\r\n form-data;\r\n name=x\r\n\r\nx"],
    "heads without a colon": lambda: [*whole(), b"Content-Disposition form-data\r\n\r\nx"],
    "an empty photo": lambda: [*answers(), photo_part(b"")],
    "no photo": answers,
    "only a photo": lambda: [photo_part(photo())],
    "consent as a list": lambda: [*whole(), part(b"consent[]", b"true")],
    "a method of another": lambda: [*whole(), part(b"_method", b"DELETE")],
}  # fmt: skip
_VALUES = {
    "empty": b"",
    "a null byte": b"female\0",
    "spaces": b" female ",
    "a hundred thousand letters": b"female" * 16_000,
    "no UTF-8": b"\xff\xfe\xfd",
    "a lone surrogate": b"\xed\xa0\x80",
    "from right to left": "\u202e".encode(),
    "SQL": b"female' OR 1=1 --",
    "a script": b"<script>alert(1)</script>",
    "JSON": b'{"$ne": null}',
    "a number": b"-1",
    "nothing that there is": b"NaN",
    "full width": "ｆｅｍａｌｅ".encode(),
    "a template": b"{{7*7}}",
}
_HEADERS: dict[str, dict[str, str]] = {
    "a key of 255 letters": {"Idempotency-Key": "k" * 255},
    "a key of 256 letters": {"Idempotency-Key": "k" * 256},
    "a key of 8,000 letters": {"Idempotency-Key": "k" * 8000},
    "a key that is empty": {"Idempotency-Key": ""},
    "a key of odd letters": {"Idempotency-Key": "\xff\xfe"},
    "a key of SQL": {"Idempotency-Key": "'; DROP TABLE analyses_analysis; --"},
    "a key with a tabulator": {"Idempotency-Key": "a\tb"},
    "a sender that is none": {"X-Forwarded-For": "\xff, nonsense, 127.0.0.1, ::1, " + "1.1.1.1, " * 500},
    "a language that is none": {"Accept-Language": "../../etc/passwd,\xff;q=x"},
    "a language of 8,000 letters": {"Accept-Language": "ko-" * 2600},
    "a wish that can't be": {"Prefer": "wait=99999999999999999999"},
    "an id of its own": {"X-Request-ID": "a\tb\xff"},
    "a cookie that is none": {"Cookie": "sessionid=\xff; csrftoken=" + "x" * 4000 + "; django_language=../../x"},
    "a compression": {"Content-Encoding": "gzip"},
    "an expectation": {"Expect": "100-continue"},
    "a method of another": {"X-HTTP-Method-Override": "DELETE"},
    "a host of another": {"X-Forwarded-Host": "evil.example"},
    "an answer as text": {"Accept": "text/html"},
    "an answer as anything": {"Accept": "*/*;q=\xff, a/b;c=" + "d" * 4000},
    "an authorization": {"Authorization": "Basic \xff\xff"},
    "a range": {"Range": "bytes=0-0, 1-1"},
    "a condition": {"If-Match": '"x"', "If-Unmodified-Since": "nonsense", "If-None-Match": "*"},
}
