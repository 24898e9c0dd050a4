"""Abuses of the connection itself: what no client library would send, cut off, held back or smuggled."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.hostile.case import ANALYSES, form
from tests.hostile.forms import MULTIPART, whole

#: What may be said to a request that is none. 501 and 505 say that a way of sending or a version is not ours.
REFUSALS: Final = frozenset({400, 403, 404, 405, 408, 411, 413, 414, 415, 417, 422, 431, 501, 505})
SMUGGLED: Final = b"GET /api/v1/smuggled/ HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass(frozen=True)
class Abuse:
    """`sent`, and then at most `answers` answers, each of them one of `statuses`."""

    name: str
    sent: bytes
    statuses: frozenset[int] = REFUSALS
    answers: int = 1


def request(line: bytes, *headers: bytes, body: bytes = b"", end: bytes = b"\r\n") -> bytes:
    return end.join([line, b"Host: localhost", *headers, b"", b""]) + body


def post(*headers: bytes, body: bytes) -> bytes:
    kind = b"Content-Type: " + MULTIPART.encode()
    return request(b"POST " + ANALYSES.encode() + b" HTTP/1.1", kind, *headers, body=body)


def length_of(body: bytes) -> bytes:
    return b"Content-Length: %d" % len(body)


def _chunked(body: bytes) -> bytes:
    return b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"


def abuses() -> Iterator[Abuse]:
    body = form(*whole())
    get = b"GET /api/v1/queue/ HTTP/1.1"
    yield Abuse("nothing", b"", answers=0)
    yield Abuse("garbage", bytes(range(256)) * 16)
    yield Abuse("a megabyte without a line", b"A" * 2**20)
    yield Abuse("a greeting for TLS", bytes.fromhex("160301020001000001fc0303") + bytes(500))
    yield Abuse("HTTP/2 without asking", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9))
    yield Abuse("HTTP/0.9", b"GET /\r\n\r\n")
    yield Abuse("HTTP/1.0", b"GET /healthz HTTP/1.0\r\n\r\n", REFUSALS | {200})
    yield Abuse("HTTP/9.9", request(b"GET / HTTP/9.9"))
    yield Abuse("a version that is none", request(b"GET / HTTP/x"))
    yield Abuse("a method of 10,000 letters", request(b"G" * 10_000 + b" / HTTP/1.1"))
    yield Abuse("an address of 100,000 letters", request(b"GET /" + b"a" * 100_000 + b" HTTP/1.1"))
    yield Abuse("an address of another host", request(b"GET http://evil.example/ HTTP/1.1"), REFUSALS | {200})
    yield Abuse("a tunnel", request(b"CONNECT 127.0.0.1:22 HTTP/1.1"))
    yield Abuse("a trace", request(b"TRACE / HTTP/1.1"))
    yield Abuse("a star", request(b"OPTIONS * HTTP/1.1"), REFUSALS | {200})
    yield Abuse("a thousand headers", request(get, *[b"X-%d: x" % n for n in range(1000)]))
    yield Abuse("a header of a megabyte", request(get, b"X-Long: " + b"x" * 2**20))
    yield Abuse("a null byte in a header", request(get, b"X: a\0b"))
    yield Abuse("a folded header", request(get, b"X: a", b" b"))
    yield Abuse("a space before the colon", request(get, b"X : a"))
    yield Abuse("a header without a name", request(get, b": a"))
    yield Abuse("a header without a colon", request(get, b"nonsense"))
    yield Abuse("line feeds alone", request(get, end=b"\n"), REFUSALS | {200})
    yield Abuse("carriage returns alone", request(get, end=b"\r"))
    yield Abuse("two hosts", request(get, b"Host: evil.example"), REFUSALS | {200})
    yield Abuse("an upgrade", request(get, b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c"), REFUSALS | {200})
    # Smuggling: two ways to tell where a request ends, and a second one hidden in the difference.
    for name, headers in _TWO_WAYS.items():
        short, long = _chunked(b"") + SMUGGLED, _chunked(SMUGGLED)
        for how, sent, length in (("a long length", short, len(short)), ("a short one", long, long.index(SMUGGLED))):
            lengths = [header.replace(b"LENGTH", b"%d" % length) for header in headers]
            yield Abuse(f"smuggled by {name} with {how}", post(*lengths, body=sent))
    underscores = post(
        length_of(_chunked(b"") + SMUGGLED), b"Transfer_Encoding: chunked", body=_chunked(b"") + SMUGGLED
    )
    yield Abuse("smuggled by a coding in underscores", underscores)
    yield Abuse("smuggled behind a short length", post(b"Content-Length: 4", body=b"x=y&" + SMUGGLED), answers=2)
    yield Abuse("smuggled in a GET with a body", request(get, length_of(SMUGGLED), body=SMUGGLED), REFUSALS | {200})
    # The body is not read, and so is told from what comes behind it only once 411 has been said.
    for name, sent in {
        "smuggled in a chunk's extension": b"5;\n\n" + SMUGGLED + b"\r\n0\r\n\r\n",
        "a chunk of a negative length": b"-1\r\nx\r\n0\r\n\r\n",
        "a chunk of terabytes": b"fffffffffff\r\nx",
        "a chunk's length that never ends": b"0" * 2**20,
        "trailers that never end": b"0\r\n" + b"X: y\r\n" * 200_000,
    }.items():
        yield Abuse(name, post(_TE, body=sent), answers=2)
    # Pipelined: each is answered, in turn.
    yield Abuse("three at once", request(get) * 3, frozenset({200}), answers=3)
    sent = post(length_of(body), body=body)
    yield Abuse("a photo and a question at once", sent + request(get), frozenset({200, 202}), answers=2)
    yield Abuse("half a head", sent[:40], answers=0)
    yield Abuse("half a body", sent[: len(sent) // 2], REFUSALS)
    yield Abuse("a body without its last byte", sent[:-1], REFUSALS | {202})
    yield Abuse("a length of a body that never comes", post(b"Content-Length: 10000000", body=b""), REFUSALS)


_TE: Final = b"Transfer-Encoding: chunked"
_CL: Final = b"Content-Length: LENGTH"
_TWO_WAYS: Final = {
    "CL.TE": [_CL, _TE],
    "TE.CL": [_TE, _CL],
    "two lengths": [_CL, b"Content-Length: 500"],
    "two lengths in one": [b"Content-Length: LENGTH, 500"],
    "a length with a sign": [b"Content-Length: +LENGTH"],
    "a length in hex": [b"Content-Length: 0x10"],
    "a length with an underscore": [b"Content-Length: 1_0"],
    "a length with a space before the colon": [b"Content-Length : 500", _TE],
    "a coding with a space before the colon": [b"Transfer-Encoding : chunked", _CL],
    "a coding behind a tabulator": [b"Transfer-Encoding:\tchunked", _CL],
    "a coding behind a vertical tabulator": [b"Transfer-Encoding: \x0bchunked", _CL],
    "an unknown coding": [b"Transfer-Encoding: xchunked", _CL],
    "two codings": [_TE, b"Transfer-Encoding: identity", _CL],
    "chunked twice": [b"Transfer-Encoding: chunked, chunked", _CL],
    "identity at the end": [b"Transfer-Encoding: chunked, identity", _CL],
    "a quoted coding": [b'Transfer-Encoding: "chunked"', _CL],
    "a folded coding": [b"Transfer-Encoding:", b" chunked", _CL],
}


def told(port: int, sent: bytes, patience: float = 20) -> tuple[list[int], bytes]:
    """Send the bytes and no more; the statuses of all answers until the server hangs up, and what it said."""
    said = b""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        with contextlib.suppress(OSError):  # It may answer and hang up before all is sent.
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while received := connection.recv(65536):
                said += received
    return [int(status) for status in re.findall(rb"(?:^|(?<=[\n}>]))HTTP/1\.[01] (\d{3}) ", said)], said


def hold(port: int, abuse: Abuse) -> None:
    """Fail unless the abuse is answered as it must be, or not at all."""
    statuses, said = told(port, abuse.sent)
    assert set(statuses) <= abuse.statuses, said[:500]
    assert len(statuses) <= abuse.answers, said[:2000]
    assert b"/api/v1/smuggled/" not in said or "short length" in abuse.name, said[:2000]


@contextlib.contextmanager
def held(port: int, *, many: int, sent: bytes) -> Iterator[list[socket.socket]]:
    """Connections that have sent this much and then send nothing."""
    with contextlib.ExitStack() as open_ones:
        connections = [open_ones.enter_context(socket.create_connection(("127.0.0.1", port), 20)) for _ in range(many)]
        for connection in connections:
            connection.sendall(sent)
        time.sleep(0.5)  # Until the server has taken them in hand.
        yield connections


def reset(port: int, sent: bytes) -> None:
    """Send this much and break the connection off with a reset instead of an end."""
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(sent)
        time.sleep(0.05)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
