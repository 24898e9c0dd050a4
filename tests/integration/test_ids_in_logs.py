"""One id, from the request that sends a photo to the last line of the worker that analyzes it."""

from __future__ import annotations

import json
import secrets
import signal
from collections.abc import Iterator

import pytest

from tests.support.environment import until
from tests.support.stack import Stack

pytestmark = pytest.mark.processes


@pytest.fixture(autouse=True)
def whole(stack: Stack) -> Iterator[None]:
    """Whatever a test broke is whole again before the next one."""
    yield
    stack.mend()


def test_one_id_is_followed_from_the_request_to_the_end_of_the_attempt(stack: Stack) -> None:
    sent = f"browser-{secrets.token_hex(8)}"
    answer = stack.submit(headers={"X-Request-ID": sent})
    assert answer.headers["X-Request-ID"] == sent
    analysis = answer.json()["id"]
    assert stack.wait(analysis)["status"] == "succeeded"

    assert [line["event"] for line in stack.lines("web", request=sent, analysis=analysis)] == ["analysis_submitted"]
    until(lambda: stack.lines("model", request=sent, event="analysis_succeeded"), 5, "the last line of the attempt")
    attempt = stack.lines("model", request=sent)
    assert [line["event"] for line in attempt] == ["analysis_claimed", "analysis_succeeded"]
    assert {(line["analysis"], line["attempt"]) for line in attempt} == {(analysis, 1)}
    batches = [line for line in stack.lines("model", event="batch_done") if analysis in line["analyses"]]
    assert len(batches) == 1


def test_photos_that_share_a_batch_keep_their_own_ids(stack: Stack) -> None:
    # A run of the reaper between a commit and its message would send one as well, with its own id.
    stack.stop("upkeep")
    stack.freeze_model()
    sent = {}
    for _ in range(6):
        request_id = f"browser-{secrets.token_hex(8)}"
        sent[request_id] = stack.submit(headers={"X-Request-ID": request_id}).json()["id"]
    stack.kill("model", signal.SIGCONT)
    for request_id, analysis in sent.items():
        stack.wait(analysis)
        until(lambda id_=request_id: stack.lines("model", request=id_, event="analysis_succeeded"), 5, "its last line")
        assert {line["analysis"] for line in stack.lines("model", request=request_id)} == {analysis}
    stack.start("upkeep")
    until(stack.ready, 60, "the upkeep worker")


def test_what_the_reaper_rings_for_bears_the_id_of_its_round(stack: Stack) -> None:
    stack.kill("broker")
    sent = f"browser-{secrets.token_hex(8)}"
    analysis = stack.submit(headers={"X-Request-ID": sent}).json()["id"]
    assert stack.lines("web", request=sent, event="broker_unavailable", analysis=analysis)
    stack.start("broker")
    stack.wait(analysis)
    # Two overlapping runs may both send a message; one of these finds nothing to claim then.
    rounds = {line["request"] for line in stack.lines("upkeep", event="analysis_resent", analysis=analysis)}
    until(lambda: stack.lines("model", event="analysis_succeeded", analysis=analysis), 5, "the end of the attempt")
    (ended,) = stack.lines("model", event="analysis_succeeded", analysis=analysis)
    assert ended["request"] in rounds - {sent}


@pytest.mark.parametrize("strange", ["short", "x" * 65, 'quote"and{brace}', "new line", "한글-한글-한글"])
def test_an_id_that_does_not_look_like_one_is_not_believed(stack: Stack, strange: str) -> None:
    answer = stack.submit(headers={"X-Request-ID": strange.encode()})  # type: ignore[dict-item]
    given = answer.headers["X-Request-ID"]
    assert given != strange
    assert len(given) == 32
    assert stack.lines("web", request=given, event="analysis_submitted")


def test_all_that_web_and_workers_say_is_json_but_the_banner_of_celery(stack: Stack) -> None:
    assert all(line.startswith("{") for line in stack.log("web").read_text().splitlines())
    for part in ("model", "upkeep"):
        said = stack.log(part).read_text().splitlines()
        assert json.loads(said[-1])["timestamp"]
