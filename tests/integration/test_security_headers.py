"""Every kind of answer of a running service has the headers by which a browser guards it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import pytest
import requests

from backend.config.security_headers import PERMISSIONS
from tests.support.stack import Stack

pytestmark = pytest.mark.processes

Ask = Callable[[Stack, str], requests.Response]


def ask(path: str, method: str = "GET", **options: object) -> Ask:
    """A request whose `{id}` is a report's."""

    def send(stack: Stack, report: str) -> requests.Response:
        return requests.request(
            method, stack.url + path.format(id=report), timeout=30, allow_redirects=False, **options
        )

    return send


def unchanged_poll(stack: Stack, report: str) -> requests.Response:
    url = f"{stack.url}/api/v1/analyses/{report}/"
    return requests.get(url, headers={"If-None-Match": requests.get(url, timeout=30).headers["ETag"]}, timeout=30)


def style_sheet(stack: Stack, report: str) -> requests.Response:
    sheet = re.search(r'href="(/static/css/[^"]+)"', requests.get(stack.url, timeout=30).text)
    assert sheet
    return requests.get(stack.url + sheet[1], timeout=30)


def waiting_poll(stack: Stack, report: str) -> requests.Response:
    return requests.get(f"{stack.url}/api/v1/analyses/{stack.submit().json()['id']}/", timeout=30)


def symptom_map(stack: Stack, report: str) -> requests.Response:
    addresses = [f"{stack.url}/analyses/{report}/maps/{symptom}.png" for symptom in ("dandruff", "hair_loss")]
    answers = [requests.get(address, timeout=30) for address in addresses]
    return next((answer for answer in answers if answer.ok), answers[0])


MISSING_ID = uuid.UUID(int=7)

KINDS: dict[str, tuple[Ask, int]] = {
    "page": (ask("/"), 200),
    "report": (ask("/analyses/{id}/"), 200),
    "page that asks to erase": (ask("/analyses/{id}/erase/"), 200),
    "form without its token": (ask("/", "POST", data={"sex": "male"}), 403),
    "page that is not there": (ask("/nowhere/"), 404),
    "analysis that is not there": (ask(f"/analyses/{MISSING_ID}/"), 404),
    "page that is not posted to": (ask("/sample/", "POST"), 403),
    "address of a foreign host": (ask("/", headers={"Host": "evil.example"}), 400),
    "body that is too large": (ask("/", "POST", data=bytes(11 * 2**20)), 413),
    "service worker": (ask("/sw.js"), 200),
    "manifest": (ask("/manifest.webmanifest"), 200),
    "style sheet": (style_sheet, 200),
    "static file that is not there": (ask("/static/nothing.js"), 404),
    "photo": (ask("/analyses/{id}/photo/"), 200),
    "photo of the API": (ask("/api/v1/analyses/{id}/photo/"), 200),
    "status": (ask("/api/v1/analyses/{id}/"), 200),
    "status while it waits": (waiting_poll, 200),
    "status that has not changed": (unchanged_poll, 304),
    "problem of the API": (ask(f"/api/v1/analyses/{MISSING_ID}/"), 404),
    "method that is not taken": (ask("/api/v1/analyses/"), 405),
    "media type that is not taken": (ask("/api/v1/analyses/", "POST", json={}), 415),
    "submission that does not hold": (ask("/api/v1/analyses/", "POST", files={"photo": b""}), 422),
    "queue": (ask("/api/v1/queue/"), 200),
    "schema": (ask("/api/schema/"), 200),
    "docs": (ask("/api/docs/"), 200),
    "way to the admin": (ask("/admin/"), 302),
    "login": (ask("/admin/login/"), 200),
    "health": (ask("/healthz"), 200),
    "metrics": (ask("/metrics"), 200),
    "question whether a request is from staff": (ask("/internal/staff/"), 401),
}


@pytest.fixture(scope="module")
def report(stack: Stack) -> str:
    """The id of an analysis with a report."""
    analysis = stack.submit().json()["id"]
    assert stack.wait(analysis)["status"] == "succeeded"
    return str(analysis)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_answer_is_guarded(kind: str, stack: Stack, report: str) -> None:
    send, status = KINDS[kind]
    answer = send(stack, report)
    assert answer.status_code == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Permissions-Policy"] == PERMISSIONS
    assert answer.headers["Referrer-Policy"] in {"same-origin", "no-referrer"}
    assert re.search(r"default-src '(none|self)'", answer.headers["Content-Security-Policy"])
    assert not re.search(r"script-src[^;]*unsafe|\*|https?:", answer.headers["Content-Security-Policy"])
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("path", ["/analyses/{id}/photo/", "/api/v1/analyses/{id}/photo/"])
def test_a_photo_is_shown_as_a_picture_and_as_nothing_else(path: str, stack: Stack, report: str) -> None:
    assert_sandboxed(ask(path)(stack, report), "image/jpeg")


def test_a_map_is_shown_as_a_picture_and_as_nothing_else(stack: Stack, report: str) -> None:
    assert_sandboxed(symptom_map(stack, report), "image/png")


def assert_sandboxed(answer: requests.Response, media_type: str) -> None:
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, media_type)
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Content-Disposition"] == "inline"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
