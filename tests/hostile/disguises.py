"""Files that are two things at once, and forms that call a photo something else than it is."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from tests.hostile import formats
from tests.hostile.case import ACCEPTED, PHOTO, UNSUPPORTED, Case, Upload, answers, form, part, photo_case
from tests.support.photo_files import png_chunk

_HTML = b"<html><body><script>alert(document.domain)</script></body></html>"
_PHP = b"<?php system($_GET['c']); __halt_compiler(); ?>"
_JS = b"*/=1;alert(document.domain)//"


def disguises() -> Iterator[Case]:
    yield from _polyglots()
    yield from _lies()
    yield from _names()


def _polyglots() -> Iterator[Case]:
    tails = {
        "ZIP": formats.REFUSED["ZIP"], "HTML": lambda: _HTML, "PHP": lambda: _PHP, "PDF": formats.REFUSED["PDF"],
        "shell script": formats.REFUSED["shell script"], "MP4": formats.REFUSED["MP4"],
        "program": formats.REFUSED["program"], "GIF": formats.REFUSED["GIF"],
    }  # fmt: skip
    for kind, make in formats.ACCEPTED.items():
        for name, tail in tails.items():
            yield photo_case("polyglot", f"{kind} and {name} behind it", lambda a=make, b=tail: a() + b())
            # What begins with something else is that; only HEIC keeps its mark a little further on.
            yield photo_case("polyglot", f"{name} and {kind} behind it", lambda a=make, b=tail: b() + a())
    jpeg, png = formats.ACCEPTED["JPEG"], formats.ACCEPTED["PNG"]

    def with_comment(text: bytes) -> bytes:
        photo = jpeg()
        return photo[:2] + b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + photo[2:]

    yield photo_case("polyglot", "JPEG and HTML inside it", lambda: with_comment(_HTML), ACCEPTED)
    yield photo_case("polyglot", "JPEG and JavaScript inside it", lambda: with_comment(_JS), ACCEPTED)
    yield photo_case("polyglot", "JPEG whose first segment is as long as a comment opener", lambda: _jpeg_js(jpeg()))
    yield photo_case("polyglot", "GIF and JavaScript", lambda: b"GIF89a/*" + bytes(8) + _JS, UNSUPPORTED)
    yield photo_case("polyglot", "BMP and JavaScript", lambda: b"BM/*" + bytes(14) + _JS)
    yield photo_case("polyglot", "PNG and PHP in its text", lambda: _png(png(), b"tEXt", b"Comment\0" + _PHP), ACCEPTED)
    yield photo_case("polyglot", "PNG and PHP in a chunk of its own", lambda: _png(png(), b"phPx", _PHP), ACCEPTED)
    yield photo_case(
        "polyglot", "WebP and WAV", lambda: formats.ACCEPTED["WebP"]().replace(b"WEBP", b"WAVE", 1), UNSUPPORTED
    )
    yield photo_case("polyglot", "HEIC and AVIF by its brands", lambda: _branded(b"avif", b"heic"))
    yield photo_case("polyglot", "HEIC by its brand around AVIF", lambda: _avif_as(b"heic"))


def _jpeg_js(photo: bytes) -> bytes:
    """`/*` as the length of the first segment, so that the file reads as JavaScript."""
    body = bytes(0x2F2A - 2)
    return photo[:2] + b"\xff\xe0/*" + body + photo[2:]


def _png(photo: bytes, name: bytes, body: bytes) -> bytes:
    return photo[:33] + png_chunk(name, body) + photo[33:]


def _branded(*brands: bytes) -> bytes:
    photo = formats.ACCEPTED["HEIC"]()
    size = int.from_bytes(photo[:4], "big")
    head = b"ftyp" + brands[0] + bytes(4) + b"".join(brands)
    return struct.pack(">I", len(head) + 4) + head + photo[size:]


def _avif_as(brand: bytes) -> bytes:
    photo = formats.REFUSED["AVIF"]()
    return photo.replace(b"avif", brand)


def _lies() -> Iterator[Case]:
    told = {
        b"image/jpeg", b"image/png", b"text/html", b"image/svg+xml", b"application/x-php", b"application/octet-stream",
        b"multipart/mixed; boundary=x", b"", b"x" * 900, b"image/jpeg\x00/../..", "그림/사진".encode(), b"*/*;q=\xff",
    }  # fmt: skip
    for kind, make in formats.ACCEPTED.items():
        for media_type in sorted(told):
            name = f"{kind} called {media_type[:30]!r}"
            yield photo_case("lying media type", name, make, ACCEPTED, media_type=media_type)
    for kind in ("TIFF", "GIF", "HTML", "PHP", "SVG", "ZIP"):
        for file_name, media_type in ((b"photo.jpg", b"image/jpeg"), (b"photo.png", b"image/png")):
            name = f"{kind} called {file_name.decode()}"
            make = formats.REFUSED[kind]
            yield photo_case("lying name", name, make, UNSUPPORTED, file_name=file_name, media_type=media_type)
    for kind, magic in {
        "JPEG": b"\xff\xd8\xff\xe0",
        "PNG": b"\x89PNG\r\n\x1a\n",
        "WebP": b"RIFF\0\0\0\0WEBP",
        "BMP": b"BM" + bytes(52),
    }.items():
        for other in ("TIFF", "GIF", "HTML", "ZIP", "SVG", "program"):
            make = formats.REFUSED[other]
            name = f"{other} behind the first bytes of {kind}"
            yield photo_case("lying magic", name, lambda a=magic, b=make: a + b(), PHOTO)


_NAMES: dict[str, bytes] = {
    "none": b"",
    "a way up": b"../../../../etc/cron.d/scalp",
    "a way up, backwards": b"..\\..\\..\\windows\\system32\\scalp.exe",
    "a way up, coded": b"..%2f..%2f..%2fetc%2fpasswd",
    "a way up, coded twice": b"%252e%252e%252fetc%252fpasswd",
    "a way up, overlong": b"..\xc0\xaf..\xc0\xafetc/passwd",
    "absolute": b"/etc/passwd",
    "a drive": b"C:\\boot.ini",
    "a share": b"\\\\127.0.0.1\\c$\\photo.jpg",
    "a device": b"CON",
    "a stream": b"photo.jpg::$DATA",
    "dots": b"..",
    "one dot": b".",
    "hidden": b".htaccess",
    "slashes": b"////////",
    "Korean": "두피 사진.jpg".encode(),
    "Korean in EUC-KR": "두피 사진.jpg".encode("euc-kr"),
    "decomposed": "두피.jpg".encode(),
    "from right to left": "photo\u202egpj.exe".encode(),
    "of zero width": "\u200b\u200d\ufeff.jpg".encode(),
    "emoji": "💇‍♀️.jpg".encode(),
    "a lone surrogate": b"\xed\xa0\x80.jpg",
    "a null byte": b"photo.jpg\x00.php",
    "a bell": b"\x07\x1b[31m.jpg",
    "a line feed, coded": b"photo%0d%0aSet-Cookie: a=b.jpg",
    "two ends": b"photo.php.jpg",
    "very long": b"a" * 5000 + b".jpg",
    "very long in Korean": ("두" * 3000).encode() + b".jpg",
    "a shell": b"$(id).jpg;id",
    "a script": b"<img src=x onerror=alert(1)>.jpg",
    "SQL": b"'; DROP TABLE human; --.jpg",
    "a template": b"{{7*7}}${7*7}.jpg",
    "a format": b"%s%s%n%x.jpg",
    "quoted quotes": b'a\\"b\\"c.jpg',
    "not UTF-8": b"\xff\xfe\xfd.jpg",
}


def _names() -> Iterator[Case]:
    photo = formats.ACCEPTED["JPEG"]
    for name, file_name in _NAMES.items():
        # What Django takes for no name at all makes the part a field, so the photo is missing.
        yield photo_case("file name", name, photo, frozenset({202, 400, 422}), file_name=file_name)
    extended = {
        "in RFC 5987": b"; filename*=UTF-8''..%2F..%2Fscalp.jpg",
        "in RFC 5987, nonsense": b"; filename*=nonsense''%ff%fe",
        "in RFC 5987, rot13": b"; filename*=rot13''cubgb.wct",
        "in RFC 5987, without quotes": b"; filename*=UTF-8",
        "in RFC 5987, beside another": b"; filename=\"a.jpg\"; filename*=UTF-8''b.php",
        "in RFC 2231, continued": b'; filename*0="a"; filename*1=".jpg"',
        "twice": b'; filename="a.jpg"; filename="../b.php"',
        "without quotes": b"; filename=a b.jpg",
        "with an open quote": b'; filename="a.jpg',
        "of a thousand parameters": b'; filename="a.jpg"' + b"; a=b" * 1000,
    }
    for name, written in extended.items():
        yield Case(
            "file name",
            name,
            lambda written=written: Upload(form(*answers(), part(b"photo", photo(), written))),
            frozenset({202, 400, 422}),
        )
