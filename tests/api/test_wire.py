"""What only shows on the wire: a real web server, clumsy and hostile clients, and a broker that is not there."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator

import pytest
import requests

from tests.support.analyses import PHOTO
from tests.support.stack import Stack

pytestmark = [pytest.mark.processes, pytest.mark.database]

MULTIPART = "multipart/form-data; boundary=b"
FORM = (
    b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % field
        for field in ((b"sex", b"male"), (b"age", b"20s"), (b"consent", b"true"))
    )
    + b'--b\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n'
    + PHOTO
    + b"\r\n--b--\r\n"
)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The web server alone: no broker, no worker."""
    folder = tmp_path_factory.mktemp("web")
    running = Stack(folder, folder)
    try:
        yield running.up_web()
    finally:
        running.down()


def raw(web: Stack, head: str, body: bytes = b"") -> tuple[int, bytes]:
    """Send bytes as they are, and return status and body of the answer."""
    with socket.create_connection(("127.0.0.1", web.port), timeout=60) as connection:
        request = head.replace("\n", "\r\n") + "\r\nConnection: close\r\n\r\n"
        with contextlib.suppress(ConnectionError):  # It may answer and hang up before all is sent.
            connection.sendall(request.encode("latin-1") + body)
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while received := connection.recv(65536):
                answer += received
    lines, _, content = answer.partition(b"\r\n\r\n")
    return int(lines.split()[1]), content


def post(headers: str) -> str:
    return f"POST /api/v1/analyses/ HTTP/1.1\nHost: localhost\nContent-Type: {MULTIPART}\n{headers}"


# Without a broker


def test_without_a_broker_photos_are_accepted_and_wait(web: Stack) -> None:
    answers = [web.submit(PHOTO) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202] * 3
    for answer in answers:
        assert web.status(answer.json()["id"])["status"] == "queued"
    notified = web.rows("list(Analysis.objects.values_list('notified_at', flat=True))")
    assert notified == [None] * 3
    web.shell.run("from backend.analyses.services.reaper import analyses_reap")
    assert web.shell.value("vars(analyses_reap())") == {"requeued": 0, "failed": 0, "resent": 0}


# Lengths


def test_a_form_sent_by_hand_is_taken(web: Stack) -> None:
    status, content = raw(web, post(f"Content-Length: {len(FORM)}"), FORM)
    assert (status, json.loads(content)["status"]) == (202, "queued")


@pytest.mark.parametrize("length", ["nonsense", "-1", "+10", "1e3", "0x10", "9" * 30, "", "10, 20"])
def test_a_length_that_is_nonsense_is_refused(web: Stack, length: str) -> None:
    status, _content = raw(web, post(f"Content-Length: {length}"), FORM)
    assert status in {400, 413}


def test_a_body_shorter_than_it_was_said_to_be_is_refused(web: Stack) -> None:
    status, _content = raw(web, post(f"Content-Length: {len(FORM) + 1000}"), FORM[:-200])
    assert status in {202, 400, 422}
    status, _content = raw(web, post("Content-Length: 20000000"), FORM)
    assert status == 413


def test_a_client_that_is_still_sending_gets_to_hear_that_it_is_too_much(web: Stack) -> None:
    answer = web.submit(PHOTO + bytes(12 * 2**20))
    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "photo_too_large"


def test_a_body_without_a_length_is_told_that_one_is_needed(web: Stack) -> None:
    answer = requests.post(
        f"{web.url}/api/v1/analyses/", data=iter([FORM]), headers={"Content-Type": MULTIPART}, timeout=30
    )
    assert answer.request.headers["Transfer-Encoding"] == "chunked"
    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")


def test_two_lengths_at_once_are_refused(web: Stack) -> None:
    both = f"Content-Length: {len(FORM)}\nTransfer-Encoding: chunked"
    assert raw(web, post(both), FORM)[0] == 400


# Headers and addresses


@pytest.mark.parametrize(
    "header",
    [
        "X-Long: " + "x" * 20_000,
        "Cookie: " + "a=b; " * 3000,
        "Accept-Language: " + "ko," * 2500,
        "Accept-Language: \xff\xfe",
        "Accept: " + "a/b;q=0.1," * 700,
        "Accept: \xff",
        "If-None-Match: " + '"a", ' * 1500,
        "Prefer: " + "wait " * 1500,
        "X-Forwarded-For: " + "1.1.1.1," * 900,
        "X-Request-ID: \xff" + "x" * 100,
        "Range: bytes=0-1",
        "Expect: nonsense",
        "Cookie: django_language=\xff; sessionid=\xff; csrftoken=\xff",
        "Authorization: Basic \xff",
        "Content-Type: \xff",
        "Host: localhost",
        "X-HTTP-Method-Override: DELETE",
        "HX-Request: true\nHX-Current-URL: \xff",
    ],
    ids=lambda header: header[:24],
)
@pytest.mark.parametrize("path", ["/", "/api/v1/queue/", "/api/v1/analyses/00000000-0000-0000-0000-000000000000/"])
def test_a_header_that_is_odd_or_huge_is_no_error_of_ours(web: Stack, header: str, path: str) -> None:
    status, content = raw(web, f"GET {path} HTTP/1.1\nHost: localhost\n{header}")
    assert status < 500, content[:500]


@pytest.mark.parametrize("host", ["evil.example", "localhost@evil", "\xff", "", "[::1", "localhost:x"])
@pytest.mark.parametrize("path", ["/", "/api/v1/queue/"])
def test_a_host_that_is_not_ours_is_refused(web: Stack, host: str, path: str) -> None:
    status, content = raw(web, f"GET {path} HTTP/1.1\nHost: {host}")
    assert 400 <= status < 500, content[:500]


@pytest.mark.parametrize(
    "path",
    [
        "/%00",
        "/api/v1/analyses/%ff%fe/",
        "/api/v1/analyses/..%2f..%2fetc/passwd",
        "/static/../../backend/config/settings.py",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "//evil.example/%2e%2e",
        "/api/v1/queue/?format=xml",
        "/api/v1/queue/?" + "a=b&" * 900,
        "/?next=\xff",
        "/i18n/setlang/",
        "/analyses/00000000-0000-0000-0000-000000000000/",
        "/api/schema/?format=nonsense&lang=%00",
        "/api/schema/?version=nonsense",
    ],
)
def test_an_address_that_is_odd_is_no_error_of_ours(web: Stack, path: str) -> None:
    for method in ("GET", "HEAD", "POST", "OPTIONS", "BREW"):
        status, content = raw(web, f"{method} {path} HTTP/1.1\nHost: localhost\nContent-Length: 0")
        assert status < 500, (method, content[:500])
        assert b"SECRET_KEY" not in content
        assert b"root:" not in content


def test_head_sends_no_body(web: Stack) -> None:
    analysis = web.submit(PHOTO).json()["id"]
    for path in (f"/api/v1/analyses/{analysis}/", "/api/v1/queue/", "/healthz", "/metrics"):
        status, content = raw(web, f"HEAD {path} HTTP/1.1\nHost: localhost")
        assert (status, content) == (200, b""), path


def test_a_second_request_on_the_same_line_is_answered(web: Stack) -> None:
    with requests.Session() as session:
        url = f"{web.url}/api/v1/analyses/"
        first = session.post(url, data=b"x" * 100, headers={"Content-Type": "text/plain"}, timeout=30)
        second = session.get(f"{web.url}/api/v1/queue/", timeout=30)
    assert (first.status_code, second.status_code) == (415, 200)


def test_nothing_of_all_this_was_an_error_of_ours(web: Stack) -> None:
    """The last test of this server: it reads what the server wrote."""
    said = web.log("web").read_text()
    assert "internal_error" not in said
    assert "\nTraceback" not in said
