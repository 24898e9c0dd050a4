"""POST /api/v1/analyses/{id}/retry/"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import redis

from backend.analyses.models import Analysis
from tests.api.contract import ContractClient, address
from tests.support.analyses import IN_STATUS, claimed, failed, fresh, past_retention, queued

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_failed_or_canceled_analysis_goes_to_the_end_of_the_queue(api: ContractClient, status: str) -> None:
    analysis = IN_STATUS[status]()
    queued()
    answer = api.post(address(analysis, "retry"))
    assert answer.status_code == 202
    assert answer["Location"] == address(analysis)
    assert "Retry-After" in answer
    body = answer.json()
    assert (body["status"], body["position"], body["models_done"]) == ("queued", 2, 0)
    assert body["failure"] is body["finished_at"] is None
    assert claimed(analysis).repeated is False


@pytest.mark.parametrize("status", ["queued", "running", "succeeded", "rejected", "expired"])
def test_anything_else_can_not_be_tried_again(api: ContractClient, status: str) -> None:
    analysis = IN_STATUS[status]()
    answer = api.post(address(analysis, "retry"))
    assert (answer.status_code, answer.json()["code"]) == (409, "not_retryable")
    assert fresh(analysis).status == status


@pytest.mark.parametrize("gone", [past_retention, lambda analysis: Analysis.objects.update(photo="")])
def test_without_its_photo_it_can_not_be_tried_again(api: ContractClient, gone: Callable[[Analysis], object]) -> None:
    analysis = failed()
    gone(analysis)
    answer = api.post(address(analysis, "retry"))
    assert (answer.status_code, answer.json()["code"]) == (409, "photo_gone")
    assert fresh(analysis).status == "failed"


@pytest.mark.django_db(transaction=True)
def test_the_workers_are_told_again(api: ContractClient, sent_messages: Callable[[], list[str]]) -> None:
    analysis = failed()
    assert sent_messages() == [str(analysis.id)]
    api.post(address(analysis, "retry"))
    assert sent_messages() == [str(analysis.id)] * 2


def test_trying_again_counts_like_sending_a_photo(api: ContractClient, settings: Any, broker: redis.Redis) -> None:
    analysis = failed()
    settings.SUBMITS_PER_MINUTE = 1
    # Of three within seconds at least two fall into the same minute.
    answers = [api.post(address(analysis, "retry")).status_code for _ in range(3)]
    assert answers[0] == 202
    assert 429 in answers


def test_a_full_queue_says_when_to_come_back_and_keeps_the_photo(api: ContractClient, settings: Any) -> None:
    analysis = failed()
    queued()
    settings.QUEUE_LIMIT = 1
    answer = api.post(address(analysis, "retry"))
    assert (answer.status_code, answer.json()["code"]) == (503, "queue_full")
    assert int(answer["Retry-After"]) > 0
    assert "Your photo is still here" in answer.json()["detail"]
    assert fresh(analysis).status == "failed"
    settings.QUEUE_LIMIT = 2
    assert api.post(address(analysis, "retry")).status_code == 202


@pytest.mark.parametrize("status", ["succeeded", "rejected", "expired"])
def test_what_can_not_be_tried_again_is_not_told_to_wait_for_the_queue(
    api: ContractClient, settings: Any, status: str
) -> None:
    analysis = IN_STATUS[status]()
    queued()
    settings.QUEUE_LIMIT = 1
    assert api.post(address(analysis, "retry")).json()["code"] == "not_retryable"


def test_an_id_that_was_never_there_is_404(api: ContractClient) -> None:
    assert api.post(address(uuid.uuid4(), "retry")).json()["code"] == "analysis_unknown"


@pytest.mark.parametrize("method", ["get", "head", "put", "delete"])
def test_only_post_tries_again(api: ContractClient, method: str) -> None:
    answer = getattr(api, method)(address(failed(), "retry"))
    assert (answer.status_code, answer["Allow"]) == (405, "POST, OPTIONS")
