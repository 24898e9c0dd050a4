"""The room: many together or one alone, and nobody waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tests.support.environment import until
from tests.support.threads import at_once
from workers.room import Room


def inside(enter: Callable[[], object]) -> tuple[threading.Thread, threading.Event, threading.Event]:
    """A thread that enters, with the event that says that it is in, and the one that lets it leave."""
    entered, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with enter():  # type: ignore[attr-defined]
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=stay, daemon=True)
    thread.start()
    return thread, entered, leave


def test_many_are_in_it_together() -> None:
    room, all_in = Room(), threading.Barrier(8)

    def enter() -> int:
        with room.together():
            return all_in.wait(10)

    assert sorted(at_once(enter, times=8)) == list(range(8))


def test_who_is_alone_is_alone() -> None:
    room = Room()
    most: list[int] = []
    count = 0

    def enter() -> None:
        nonlocal count
        with room.alone():
            count += 1
            most.append(count)
            count -= 1

    at_once(enter, times=8)
    assert most == [1] * 8


def test_who_wants_to_be_alone_waits_for_those_inside_and_goes_before_those_who_come_later() -> None:
    room = Room()
    first, first_in, first_leaves = inside(room.together)
    assert first_in.wait(5)
    alone, alone_in, alone_leaves = inside(room.alone)
    until(lambda: room._wishes == 1, 5, "the wish to be alone")
    late, late_in, late_leaves = inside(room.together)
    assert not late_in.wait(0.1)
    assert not alone_in.is_set()
    first_leaves.set()
    assert alone_in.wait(5)
    assert not late_in.wait(0.1)
    alone_leaves.set()
    assert late_in.wait(5)
    late_leaves.set()
    for thread in (first, alone, late):
        thread.join(5)
