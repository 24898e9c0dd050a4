"""A probe tells whether something is there, and never hangs with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from backend.operations.probe import Probe
from tests.support.environment import until


class Mount:
    """Something that answers at once, not at all, or with an error."""

    def __init__(self) -> None:
        self.asked = 0
        self.answers = threading.Event()
        self.error: Exception | None = None

    def look(self) -> None:
        self.asked += 1
        self.answers.wait()
        if self.error:
            raise self.error


@pytest.fixture
def mount() -> Iterator[Mount]:
    mount = Mount()
    yield mount
    mount.answers.set()


@pytest.fixture
def probe(mount: Mount, monkeypatch: pytest.MonkeyPatch) -> Probe:
    monkeypatch.setattr(Probe, "PATIENCE_SECONDS", 0.1)
    return Probe("mount", mount.look)


def seconds(call: Callable[[], object]) -> float:
    begun = time.monotonic()
    call()
    return time.monotonic() - begun


def test_what_answers_is_there_and_is_not_asked_again_at_once(mount: Mount, probe: Probe) -> None:
    mount.answers.set()
    assert [probe.is_available() for _ in range(5)] == [True] * 5
    assert mount.asked == 1


def test_what_answers_with_an_error_is_away(mount: Mount, probe: Probe) -> None:
    mount.answers.set()
    mount.error = OSError("stale file handle")
    assert not probe.is_available()
    mount.error = None
    probe.forget()
    assert probe.is_available()


def test_what_hangs_is_away_and_keeps_one_thread_alone(mount: Mount, probe: Probe) -> None:
    before = threading.active_count()
    for _ in range(3):
        assert 0.1 <= seconds(probe.is_available) < 2
        assert not probe.is_available()
        probe.forget()
    assert (mount.asked, threading.active_count()) == (1, before + 1)
    mount.answers.set()
    until(lambda: threading.active_count() == before, 5, "the end of the thread that hung")
    assert probe.is_available()


def test_those_who_ask_at_once_are_answered_together(mount: Mount, probe: Probe) -> None:
    found: list[bool] = []
    threads = [threading.Thread(target=lambda: found.append(probe.is_available())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert found == [False] * 8
    assert mount.asked == 1
