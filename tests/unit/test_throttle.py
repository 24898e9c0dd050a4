"""Whose photos are counted together."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.test import RequestFactory

from backend.operations import redis_client
from backend.operations.throttle import SubmitThrottle, client_address


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "", "10.0.0.9"),
        (0, "1.1.1.1", "10.0.0.9"),
        (1, "1.1.1.1", "1.1.1.1"),
        (1, "9.9.9.9, 1.1.1.1", "1.1.1.1"),
        (2, "9.9.9.9, 1.1.1.1 ,2.2.2.2", "1.1.1.1"),
        (2, "1.1.1.1", "10.0.0.9"),
        (1, "", "10.0.0.9"),
        (1, ", ,", "10.0.0.9"),
        (1, "9.9.9.9, 2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (1, "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        (1, "[2001:db8:1:3::1]", "2001:db8:1:3::/64"),
        (1, "::ffff:1.1.1.1", "1.1.1.1"),
        (1, "1.1.1.1:50000", "1.1.1.1"),
        (1, "9.9.9.9:1, [2001:db8:1:3::1]:443", "2001:db8:1:3::/64"),
        (1, "unknown", "unknown"),
    ],
)
def test_as_many_entries_are_believed_as_there_are_proxies(
    rf: RequestFactory, settings: Any, proxies: int, forwarded: str, address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = rf.post("/", REMOTE_ADDR="10.0.0.9", headers={"X-Forwarded-For": forwarded})
    assert client_address(request) == address


def test_each_address_has_a_count_of_its_own_and_none_is_stored(rf: RequestFactory, settings: Any, broker: Any) -> None:
    settings.SUBMITS_PER_MINUTE = 1
    # Of three within seconds at least two fall into the same minute.
    one = [SubmitThrottle().allow_request(rf.post("/", REMOTE_ADDR="10.1.2.3"), None) for _ in range(3)]
    assert one[0] is True
    assert False in one
    assert SubmitThrottle().allow_request(rf.post("/", REMOTE_ADDR="10.3.2.1"), None)
    keys = [key.decode() for key in broker.scan_iter("*")]
    assert len(keys) >= 2
    assert not any("10." in key for key in keys)
    assert all(0 < broker.ttl(key) <= 120 for key in keys)


def test_the_first_requests_of_a_process_are_counted_side_by_side(
    rf: RequestFactory, settings: Any, broker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = Barrier(16)

    def submit() -> bool:
        together.wait()
        return SubmitThrottle().allow_request(rf.post("/", REMOTE_ADDR="10.9.9.9"), None)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(16) as threads:
            for _ in range(10):
                monkeypatch.setattr(redis_client, "_client", None)
                assert all(done.result() for done in [threads.submit(submit) for _ in range(16)])
    finally:
        sys.setswitchinterval(interval)
