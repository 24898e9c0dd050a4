"""What workers do for anyone who reaches the broker: they answer a ping, and little else."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from celery import Celery
from celery.app.control import Control

from backend.operations.task_names import ANALYZE_PHOTO
from tests.support.stack import Stack

pytestmark = pytest.mark.processes

#: What would show ids of analyses, settings with passwords, or the program's memory.
SILENT = ["active", "reserved", "scheduled", "revoked", "conf", "report", "query_task", "memsample", "hello", "clock"]
#: What would stop a worker or keep it from its work.
HARMFUL = {
    "shutdown": {},
    "pool_shrink": {"n": 64},
    "pool_restart": {},
    "rate_limit": {"task_name": ANALYZE_PHOTO, "rate_limit": "1/h"},
    "time_limit": {"task_name": ANALYZE_PHOTO, "hard": 1, "soft": 1},
    "cancel_consumer": {"queue": "photos"},
    "disable_events": {},
}


@pytest.fixture
def control(stack: Stack) -> Iterator[Control]:
    """Celery's own remote control, as anyone has it who knows the address of the broker."""
    with Celery(broker=stack.environment["SCALP_BROKER_URL"]) as app:
        yield app.control


def test_workers_answer_pings(control: Control) -> None:
    assert len(control.ping(timeout=2)) == 2


@pytest.mark.parametrize("command", SILENT)
def test_workers_tell_nothing_of_their_tasks_and_settings(control: Control, command: str) -> None:
    arguments = {"ids": ["1"]} if command == "query_task" else {"from_node": "x"} if command == "hello" else {}
    replies = control.broadcast(command, arguments=arguments, reply=True, timeout=1)
    assert [reply for answer in replies for reply in answer.values() if reply is not None] == []


def test_statistics_do_not_name_the_broker(control: Control, stack: Stack) -> None:
    stats = control.inspect(timeout=2).stats()
    assert len(stats) == 2
    assert str(stack.broker_port) not in json.dumps(stats)


def test_workers_go_on_whatever_they_are_told(control: Control, stack: Stack) -> None:
    for command, arguments in HARMFUL.items():
        control.broadcast(command, arguments=arguments)
    time.sleep(2)
    assert stack.wait(stack.submit().json()["id"])["status"] in {"succeeded", "rejected"}
    assert [stack.processes[part].poll() for part in ("model", "upkeep")] == [None, None]
    assert len(control.ping(timeout=2)) == 2
