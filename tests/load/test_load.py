"""The short form of `make load`, and whether its instruments tell what they are asked."""

from __future__ import annotations

import itertools
import math
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.bench.service_load import get
from tests.load.memory import MIB, grown
from tests.load.pace import highest, open_loop
from tests.load.traffic import SETTINGS, traffic
from tests.support.environment import SCRATCH
from tests.support.stack import Stack

USERS, SECONDS, PAUSE = 16, 15, 1
#: Small enough that the line is full while the worker stands still, and as many threads as the web has by default.
QUEUE_LIMIT, WEB_THREADS = 4, 32

NOT_MODIFIED = b"HTTP/1.1 304 Not Modified\r\n\r\n"
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.processes
def test_clients_past_the_limit_get_retry_after_and_no_photo_is_lost(
    small_bundle: Path,
) -> None:
    folder = SCRATCH / "load"
    folder.mkdir()
    stack = Stack(folder, small_bundle, **{**SETTINGS, "SCALP_QUEUE_LIMIT": str(QUEUE_LIMIT)})

    def stand_still() -> None:
        time.sleep(SECONDS / 3)
        stack.freeze_model()
        time.sleep(SECONDS / 3)
        stack.kill("model", signal.SIGCONT)

    try:
        stack.up()
        found = traffic(stack, folder, users=USERS, seconds=SECONDS, pause=PAUSE, meanwhile=stand_still)
    finally:
        stack.down()
    assert found.complaints(QUEUE_LIMIT, WEB_THREADS) == []
    kinds = {entry["who"] for entry in found.told["accepted"]}
    assert kinds == {"Phone", "Browser", "Hammer"}
    assert any(name.endswith("503") for name in found.told["refused"]), "the queue was never full"
    assert found.rows["succeeded"] >= len(found.told["accepted"]) > 0
    assert {"web", "web 1", "model", "upkeep"} <= found.looks[-1][1].keys()


@contextmanager
def server(answers: Iterator[bytes], pause: float = 0.0) -> Iterator[int]:
    """The port of a server that gives these answers one at a time, each after a pause in seconds, and then no more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=talk, args=(connection,), daemon=True).start()

        one_at_a_time, over = threading.Lock(), threading.Event()

        def talk(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                while connection.recv(65536):
                    with one_at_a_time:
                        time.sleep(pause)
                        answer = next(answers, None)
                    if answer is None:
                        over.wait()
                        return
                    connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()


def test_each_request_is_sent_once_and_counted_by_its_status() -> None:
    with server(itertools.cycle([NOT_MODIFIED, UNAVAILABLE])) as port:
        step = open_loop(port, itertools.repeat(get("/")), 50, 1)
    assert step.statuses == {304: 25, 503: 25}
    assert not step.holds(304)


def test_a_server_that_stalls_is_charged_for_all_that_was_due_meanwhile() -> None:
    # Twenty a second for a second, where one takes 0.1 s: the last one is answered a second after it was due. A
    # client that waits for each answer before its next request would have seen 0.1 s every time.
    with server(itertools.repeat(NOT_MODIFIED), pause=0.1) as port:
        step = open_loop(port, itertools.repeat(get("/")), 20, 1)
    assert step.statuses == {304: 20}
    assert step.p99 > 0.8


def test_a_request_that_nobody_answers_never_was_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.load.pace.GRACE_SECONDS", 0.2)
    with server(iter([NOT_MODIFIED])) as port:
        step = open_loop(port, itertools.repeat(get("/")), 10, 0.5)
    assert step.statuses == {304: 1}
    assert step.p99 == math.inf


def test_the_highest_rate_is_the_last_to_hold_and_failures_are_retried() -> None:
    with server(itertools.repeat(NOT_MODIFIED), pause=0.05) as port:  # Twenty a second are all that it can.
        best, steps = highest(port, itertools.repeat(get("/")), 304, start=4, seconds=1)
        refusing, tries = highest(port, itertools.repeat(get("/")), 200, start=4, seconds=0.2)
    assert best is not None
    assert best.rate < 20 * 1.25
    assert [step.rate for step in steps[-2:]] == [best.rate * 1.25] * 2
    assert refusing is None
    assert len(tries) == 2


def test_memory_counts_as_grown_past_a_tenth_and_only_after_the_start() -> None:
    def look(minute: int) -> tuple[float, dict[str, int]]:
        found = {
            "flat": 400 + 200 * (minute > 1),  # grows while it gets warm
            "leak": 400 + 10 * minute,
            "small": 50 + minute // 3,  # a fifth, and yet less than allocators keep
        }
        late = {"late": 100 * minute} if minute > 10 else {}
        return 60.0 * minute, {name: size * MIB for name, size in {**found, **late}.items()}

    grew = grown([look(minute) for minute in range(31)], warm=300)
    assert grew.keys() == {"leak"}
    before, after = grew["leak"]
    assert after > before
