"""GET /api/v1/queue/"""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Worker
from tests.api.contract import ContractClient
from tests.support.analyses import canceled, queued, running, succeeded

pytestmark = [pytest.mark.database, pytest.mark.django_db]

QUEUE = "/api/v1/queue/"


def test_an_empty_queue_without_a_worker_accepts_and_can_not_say_how_long(api: ContractClient) -> None:
    answer = api.get(QUEUE)
    assert answer.status_code == 200
    assert answer.json() == {"accepting": True, "waiting": 0, "workers": 0, "eta_seconds": None}
    assert answer["Cache-Control"] == "no-store"


def test_it_counts_those_that_wait_and_the_time_of_those_that_run(api: ContractClient, worker: Worker) -> None:
    worker(seconds=3.0)
    running()
    queued()
    queued()
    canceled()
    succeeded()
    assert api.get(QUEUE).json() == {"accepting": True, "waiting": 2, "workers": 1, "eta_seconds": 12}


def test_a_full_queue_accepts_nothing(api: ContractClient, settings: Any) -> None:
    settings.QUEUE_LIMIT = 1
    queued()
    assert api.get(QUEUE).json()["accepting"] is False


def test_only_workers_that_are_there_with_seven_models_count(api: ContractClient, worker: Worker) -> None:
    worker("model@one")
    worker("model@two", models_resident=6)
    assert api.get(QUEUE).json()["workers"] == 1


def test_it_takes_no_other_method(api: ContractClient) -> None:
    assert api.head(QUEUE).status_code == 200
    answer = api.post(QUEUE)
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize("accept", ["application/xml", "text/html, */*"])
def test_it_answers_in_json_whatever_is_accepted(api: ContractClient, accept: str) -> None:
    answer = api.get(QUEUE, headers={"Accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
