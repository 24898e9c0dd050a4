"""No client gets one more try by trying at once, at several processes, or with an invented chain of proxies."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from backend.operations.throttle import WINDOW_SECONDS
from tests.support.stack import Stack

pytestmark = pytest.mark.processes

LIMIT, TRIES = 7, 40


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A broker, and the web role behind one proxy: two processes of sixteen threads."""
    folder = tmp_path_factory.mktemp("throttled")
    running = Stack(
        folder, folder,
        SCALP_TRUSTED_PROXIES="1", SCALP_SUBMITS_PER_MINUTE=str(LIMIT), SCALP_LOGINS_PER_MINUTE=str(LIMIT),
    )  # fmt: skip
    try:
        yield running.up_web(broker=True)
    finally:
        running.down()


def early_in_a_minute() -> None:
    """Wait, if need be, until there is time for all tries in one minute as it is counted."""
    left = WINDOW_SECONDS - time.time() % WINDOW_SECONDS
    if left < 25:
        time.sleep(left)


def submit(web: Stack, way: str) -> int:
    """The status for a submission without a photo that came this way through proxies."""
    return requests.post(
        f"{web.url}/api/v1/analyses/", files={"nothing": b""}, headers={"X-Forwarded-For": way}, timeout=60
    ).status_code


def log_in(web: Stack, way: str) -> int:
    with requests.Session() as browser:
        browser.get(f"{web.url}/admin/login/", timeout=60)
        answers = {"username": "admin", "password": "guess", "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        return browser.post(
            f"{web.url}/admin/login/", data=answers, headers={"X-Forwarded-For": way}, timeout=60
        ).status_code


@pytest.mark.parametrize(("attempt", "looked_at"), [(submit, 422), (log_in, 200)], ids=["photos", "logins"])
def test_of_many_tries_at_once_exactly_as_many_pass_as_may(web: Stack, attempt: object, looked_at: int) -> None:
    early_in_a_minute()
    # What stands left of the proxy's own entry is the sender's invention.
    ways = [f"10.0.{n}.1, 192.0.2.{n}, 198.51.100.1" for n in range(TRIES)]
    with ThreadPoolExecutor(TRIES) as threads:
        statuses = Counter(threads.map(lambda way: attempt(web, way), ways))  # type: ignore[operator]
    assert statuses == {looked_at: LIMIT, 429: TRIES - LIMIT}


def test_another_sender_behind_the_same_proxy_is_counted_apart(web: Stack) -> None:
    early_in_a_minute()
    assert [submit(web, "198.51.100.2") for _ in range(LIMIT + 1)] == [422] * LIMIT + [429]
    assert submit(web, "198.51.100.3") == 422
