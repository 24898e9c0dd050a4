"""What those see who look on while parts come and go; that nothing is lost meanwhile, `tests.chaos` says."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from backend.operations.task_names import ANALYZE_PHOTO
from tests.support.environment import until
from tests.support.stack import Stack
from tests.support.succeeded import assert_each_succeeded_once

pytestmark = [pytest.mark.processes, pytest.mark.database]

TEN = 10


@pytest.fixture(autouse=True)
def whole(stack: Stack) -> Iterator[None]:
    """Whatever a test broke is whole again before the next one."""
    yield
    stack.mend()


def submit_ten(stack: Stack) -> list[str]:
    answers = [stack.submit() for _ in range(TEN)]
    assert [answer.status_code for answer in answers] == [202] * TEN
    return [answer.json()["id"] for answer in answers]


def test_it_is_not_ready_without_a_worker(stack: Stack) -> None:
    stack.kill("model")
    until(lambda: requests.get(f"{stack.url}/readyz", timeout=5).status_code == 503, 10, "the end of readiness")
    assert requests.get(f"{stack.url}/readyz", timeout=5).json()["ready"] is False
    waiting = stack.submit().json()
    assert waiting["status"] == "queued"
    assert waiting["eta_seconds"] is None
    stack.start("model")
    assert stack.wait(waiting["id"])["status"] == "succeeded"


def test_photos_that_wait_together_share_a_batch(stack: Stack) -> None:
    stack.freeze_model()
    ids = submit_ten(stack)
    seen = len(stack.log("model").read_text())
    stack.kill("model", signal.SIGCONT)
    assert_each_succeeded_once(stack, ids)
    batches = [line for line in stack.log("model").read_text()[seen:].splitlines() if '"batch_done"' in line]
    assert 2 <= len(batches) < TEN


def test_flower_sees_every_state_of_every_task(stack: Stack) -> None:
    stack.environment["FLOWER_UNAUTHENTICATED_API"] = "true"
    stack.start("flower")
    flower = f"http://127.0.0.1:{stack.flower_port}"

    def up() -> bool:
        try:
            return requests.get(f"{flower}/healthcheck", timeout=2).ok
        except requests.RequestException:
            return False

    until(up, 30, "Flower")
    time.sleep(1)  # Flower says that it is well before it listens to events.
    ids = submit_ten(stack)
    assert_each_succeeded_once(stack, ids)

    def tasks() -> list[dict[str, Any]]:
        found = requests.get(f"{flower}/api/tasks", timeout=10).json().values()
        return [task for task in found if task["name"] == ANALYZE_PHOTO]

    until(lambda: len(tasks()) == TEN and all(task["succeeded"] for task in tasks()), 20, "all in Flower")
    for task in tasks():
        assert task["kwargs"] == "{'analysis_id': …}", "the address of a report is for its owner"
        # The sender stamps its event once the message is out, so a quick worker can be first by a little.
        assert task["sent"]
        assert task["received"] <= task["started"] <= task["succeeded"]
        assert task["state"] == "SUCCESS"
    stack.stop("flower")
