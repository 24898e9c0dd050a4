"""Messages of other programs to real workers: what they carry does not run, and the workers keep working."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import redis
from kombu import Connection, Producer

from tests.support.environment import until
from tests.support.stack import Stack

pytestmark = pytest.mark.processes


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


def send(stack: Stack, queue: str, task: str, body: Any, serializer: str, **more: Any) -> None:
    headers = {"lang": "py", "task": task, "id": "0", "root_id": "0", "parent_id": None, "group": None, **more}
    with Connection(stack.environment["SCALP_BROKER_URL"]) as connection:
        Producer(connection).publish(body, serializer=serializer, routing_key=queue, headers=headers)


def held(stack: Stack, queue: str) -> int:
    """Messages that wait, and those that were handed out and not settled, if they are of this test."""
    with redis.Redis.from_url(stack.environment["SCALP_BROKER_URL"]) as broker:
        unsettled = [one for one in broker.hvals("unacked") if b"python-serialize" in one or b"x-yaml" in one]
        return int(broker.llen(queue)) + len(unsettled)


@pytest.mark.parametrize(
    ("part", "queue", "task"), [("model", "photos", "analyse_photo"), ("upkeep", "upkeep", "reap_analyses")]
)
def test_a_pickle_is_refused_runs_nothing_and_hurts_nobody(
    stack: Stack, tmp_path: Path, part: str, queue: str, task: str
) -> None:
    sprung, worker = tmp_path / "sprung", stack.processes[part].pid
    seen = stack.log(part).stat().st_size
    send(stack, queue, task, ([], {"analysis_id": Trap(sprung)}, {}), "pickle")
    until(lambda: held(stack, queue) == 0, 20, "the end of the message")
    assert stack.wait(stack.submit().json()["id"])["status"] == "succeeded"
    assert not sprung.exists()
    assert stack.processes[part].pid == worker
    assert stack.processes[part].poll() is None
    assert "ContentDisallowed" in stack.log(part).read_text()[seen:]


@pytest.mark.parametrize(
    "body",
    [
        ([], {"analysis_id": "no id at all"}, {}),
        ([], {"analysis_id": 7}, {}),
        ([], {}, {}),
        (["positional"], {}, {}),
        ([], {"analysis_id": "00000000-0000-0000-0000-000000000000", "surprise": True}, {}),
        ([], "no keywords", {}),
        "no task at all",
        "abc",
        7,
        None,
        {"args": 7},
        [],
    ],
)
def test_a_message_that_makes_no_sense_is_dropped(stack: Stack, body: Any) -> None:
    worker = stack.processes["model"].pid
    send(stack, "photos", "analyse_photo", body, "json")
    until(lambda: held(stack, "photos") == 0, 20, "the end of the message")
    assert stack.wait(stack.submit().json()["id"], 20)["status"] == "succeeded"
    assert stack.processes["model"].pid == worker
    assert stack.processes["model"].poll() is None


def test_a_message_without_an_id_or_with_nonsense_beside_it_is_dropped(stack: Stack) -> None:
    for headers in ({"id": None}, {"id": 7}, {"timelimit": "long"}, {"eta": "soon"}, {"expires": []}, {"retries": "x"}):
        send(stack, "photos", "analyse_photo", ([], {"analysis_id": "none"}, {}), "json", **headers)
    until(lambda: held(stack, "photos") == 0, 20, "the end of the messages")
    assert stack.wait(stack.submit().json()["id"], 20)["status"] == "succeeded"
    assert stack.processes["model"].poll() is None


def test_a_task_that_there_is_not_is_dropped(stack: Stack) -> None:
    send(stack, "photos", "os.system", (["true"], {}, {}), "json")
    until(lambda: held(stack, "photos") == 0, 20, "the end of the message")
    assert stack.wait(stack.submit().json()["id"])["status"] == "succeeded"
    assert stack.processes["model"].poll() is None
