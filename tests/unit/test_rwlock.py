"""The readers–writer lock: many shared or one exclusive, and no thread starves."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tests.support.environment import until
from tests.support.threads import at_once
from workers.rwlock import RWLock


def hold(acquire: Callable[[], object]) -> tuple[threading.Thread, threading.Event, threading.Event]:
    """A thread that takes the lock, with the event that says that it holds it, and the one that makes it release it."""
    acquired, release = threading.Event(), threading.Event()

    def stay() -> None:
        with acquire():  # type: ignore[attr-defined]
            acquired.set()
            release.wait(10)

    thread = threading.Thread(target=stay, daemon=True)
    thread.start()
    return thread, acquired, release


def test_many_share_it() -> None:
    lock, all_in = RWLock(), threading.Barrier(8)

    def enter() -> int:
        with lock.shared():
            return all_in.wait(10)

    assert sorted(at_once(enter, times=8)) == list(range(8))


def test_exclusive_excludes_all_others() -> None:
    lock = RWLock()
    seen: list[int] = []
    count = 0

    def enter() -> None:
        nonlocal count
        with lock.exclusive():
            count += 1
            seen.append(count)
            count -= 1

    at_once(enter, times=8)
    assert seen == [1] * 8


def test_exclusive_waits_for_present_holders_and_goes_before_later_ones() -> None:
    lock = RWLock()
    first, first_acquired, first_release = hold(lock.shared)
    assert first_acquired.wait(5)
    exclusive, exclusive_acquired, exclusive_release = hold(lock.exclusive)
    until(lambda: lock._exclusive_waiters == 1, 5, "the exclusive waiter")
    late, late_acquired, late_release = hold(lock.shared)
    assert not late_acquired.wait(0.1)
    assert not exclusive_acquired.is_set()
    first_release.set()
    assert exclusive_acquired.wait(5)
    assert not late_acquired.wait(0.1)
    exclusive_release.set()
    assert late_acquired.wait(5)
    late_release.set()
    for thread in (first, exclusive, late):
        thread.join(5)
