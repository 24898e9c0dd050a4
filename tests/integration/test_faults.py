"""Parts that die in the middle: every analysis that was accepted still ends, with one `Human` and six findings."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator

import pytest
import requests

from tests.environment import until
from tests.stack import Stack
from tests.succeeded import assert_each_succeeded_once

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


def statuses(stack: Stack, ids: list[str]) -> list[str]:
    return [stack.status(analysis_id)["status"] for analysis_id in ids]


def when_it_runs(stack: Stack, ids: list[str]) -> None:
    """Let the stopped worker go on, and return while it is at the first of these."""
    stack.kill("model", signal.SIGCONT)
    until(lambda: stack.status(ids[0])["status"] != "queued", 30, "the first claim")


def test_ten_survive_a_model_worker_that_is_killed(stack: Stack) -> None:
    stack.freeze_model()
    ids = submit_ten(stack)
    when_it_runs(stack, ids)
    stack.kill("model")
    assert statuses(stack, ids).count("succeeded") < TEN
    stack.start("model")
    assert_each_succeeded_once(stack, ids)


def test_a_worker_that_is_told_to_leave_gives_back_what_it_has_not_begun(stack: Stack) -> None:
    stack.freeze_model()
    ids = submit_ten(stack) + submit_ten(stack)
    when_it_runs(stack, ids)
    stack.kill("model", signal.SIGTERM)
    left = statuses(stack, ids)
    assert set(left) <= {"queued", "succeeded"}
    assert "queued" in left
    stack.start("model")
    assert_each_succeeded_once(stack, ids)
    counted = stack.rows(f"list(Analysis.objects.filter(id__in={ids}).values_list('attempt', 'tries_from'))")
    assert {attempt - tries_from for attempt, tries_from in counted} == {1}


def test_a_worker_that_sleeps_past_its_lease_writes_nothing(stack: Stack) -> None:
    stack.freeze_model()
    ids = submit_ten(stack)
    when_it_runs(stack, ids)
    stack.freeze_model()
    running = [analysis_id for analysis_id in ids if stack.status(analysis_id)["status"] == "running"]
    assert running
    until(lambda: "running" not in statuses(stack, ids), 30, "the reaper")
    stack.kill("model", signal.SIGCONT)
    assert_each_succeeded_once(stack, ids)
    attempts = stack.rows(f"list(Analysis.objects.filter(id__in={running}).values_list('attempt', flat=True))")
    assert min(attempts) >= 2


def test_uploads_are_accepted_while_the_broker_is_away(stack: Stack) -> None:
    before = submit_ten(stack)
    stack.kill("broker")
    during = submit_ten(stack)
    stack.start("broker")
    assert_each_succeeded_once(stack, before + during)


def test_ten_survive_a_broker_that_loses_all_its_data(stack: Stack) -> None:
    stack.kill("model")
    ids = submit_ten(stack)
    stack.kill("broker")
    shutil.rmtree(stack.folder / "broker")
    (stack.folder / "broker").mkdir()
    stack.start("broker")
    stack.start("model")
    assert_each_succeeded_once(stack, ids)


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

    def tasks() -> dict[str, dict[str, float]]:
        found = requests.get(f"{flower}/api/tasks", timeout=10).json().values()
        return {analysis_id: task for task in found for analysis_id in ids if analysis_id in (task["kwargs"] or "")}

    until(lambda: len(tasks()) == TEN and all(task["succeeded"] for task in tasks().values()), 20, "all in Flower")
    for task in tasks().values():
        # The sender stamps its event once the message is out, so a quick worker can be first by a little.
        assert task["sent"]
        assert task["received"] <= task["started"] <= task["succeeded"]
        assert task["state"] == "SUCCESS"
    stack.stop("flower")
