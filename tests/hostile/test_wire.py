"""Abuses of the connection: the server keeps answering, and logs none of them as an error of its own."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
import requests

from tests.hostile.case import form
from tests.hostile.forms import whole
from tests.hostile.trial import front
from tests.hostile.wire import Abuse, abuses, held, hold, length_of, post, request, reset
from tests.support.environment import until
from tests.support.stack import Stack

pytestmark = pytest.mark.processes

#: Threads of all processes of the web server: that many may be held at once.
THREADS = 32


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = front(tmp_path_factory.mktemp("wire"), SCALP_WEB_PATIENCE="4")
    try:
        yield stack.up_web(broker=True)
    finally:
        stack.down()


@pytest.mark.parametrize("abuse", abuses(), ids=lambda abuse: abuse.name)
def test_an_abuse_is_refused_once_and_for_all(web: Stack, abuse: Abuse) -> None:
    hold(web.port, abuse)
    assert web.alive()


BODY = form(*whole())
SENT = post(length_of(BODY), body=BODY)
HALVES = {
    "half a line": SENT[:20],
    "a head without its end": SENT[: SENT.index(b"\r\n\r\n")],
    "a head": SENT[: SENT.index(b"\r\n\r\n") + 4],
    "half a body": SENT[: len(SENT) // 2],
}


@pytest.mark.parametrize("half", HALVES)
def test_those_who_say_half_and_fall_silent_keep_nobody_out_for_long(web: Stack, half: str) -> None:
    with held(web.port, many=2 * THREADS, sent=HALVES[half]):
        began = time.monotonic()
        until(web.alive, 40, "an answer to another client")
        assert web.submit().status_code == 202
        assert time.monotonic() - began < 30


def test_those_who_do_not_read_their_answers_keep_nobody_out_for_long(web: Stack) -> None:
    asked = request(b"GET /static/samples/flaky.jpg HTTP/1.1") * 200
    with held(web.port, many=2 * THREADS, sent=asked):
        time.sleep(3)  # Until no more fits into the buffers in between.
        until(web.alive, 60, "an answer to another client")


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.99, 1.0])
def test_who_breaks_off_with_a_reset_is_no_error_of_ours(web: Stack, part: float) -> None:
    for _ in range(10):
        reset(web.port, SENT[: int(len(SENT) * part)])
    assert web.alive()


def test_nothing_of_all_this_was_an_error_of_ours(web: Stack) -> None:
    """The last test of this server: it reads what the server wrote, and what is in storage."""
    until(lambda: requests.get(f"{web.url}/healthz", timeout=5).ok, 10, "an answer")
    said = web.log("web").read_text()
    assert "internal_error" not in said
    assert "Traceback" not in said
    assert "Socket error" not in said
    rows = web.rows("[id.hex + '.jpg' for id in Analysis.objects.values_list('id', flat=True)]")
    assert sorted(path.name for path in (web.folder / "var" / "photos").iterdir()) == sorted(rows)


QUESTION = request(
    b"POST /questions/ HTTP/1.1", b"Cookie: csrftoken=" + b"a" * 32, b"Content-Length: 60000", body=b"a="
)
SILENT = {"nothing": b"", "half a head": SENT[:20], "a small body": QUESTION, "a large body": HALVES["half a body"]}


@pytest.mark.parametrize("silence", SILENT)
def test_silent_connections_cost_no_thread(web: Stack, silence: str) -> None:
    """Each had a thread for 5 s or more: ten a second stopped the server for everybody."""
    with held(web.port, many=200, sent=SILENT[silence]):
        for _again in range(5):
            began = time.monotonic()
            assert web.alive()
            assert time.monotonic() - began < 1


def test_a_request_may_arrive_byte_by_byte_and_on_a_kept_connection(web: Stack) -> None:
    whole = request(b"GET /healthz HTTP/1.1")
    with socket.create_connection(("127.0.0.1", web.port), 20) as connection:
        for byte in whole:
            connection.sendall(bytes([byte]))
        assert _next_answer(connection).startswith(b"HTTP/1.1 200")
        connection.sendall(whole[:10])
        time.sleep(0.2)
        connection.sendall(whole[10:] + whole[:7])
        assert _next_answer(connection).startswith(b"HTTP/1.1 200")
        connection.sendall(whole[7:])
        assert _next_answer(connection).startswith(b"HTTP/1.1 200")


def _next_answer(connection: socket.socket) -> bytes:
    said = b""
    while not said.endswith(b"}"):
        piece = connection.recv(65536)
        assert piece, said
        said += piece
    return said
