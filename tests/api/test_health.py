"""/healthz and /readyz"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from backend.operations.models import Worker as WorkerRow
from backend.operations.services import worker_left, worker_seen, worker_started
from tests.analyses import BUNDLE
from tests.api.conftest import Worker

pytestmark = [pytest.mark.database, pytest.mark.django_db]

NOT_READY = {"ready": False, "workers": 0, "models_resident": 0, "bundle": None}


def ready(client: Client) -> tuple[int, Any]:
    answer = client.get("/readyz")
    return answer.status_code, answer.json()


def age(seconds: float) -> None:
    """Let the last heartbeat of every worker be so old."""
    WorkerRow.objects.update(seen_at=timezone.now() - timedelta(seconds=seconds))


def test_healthz_says_that_this_process_answers_and_asks_nobody(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"alive": True})
    assert "no-store" in answer["Cache-Control"]


def test_without_a_worker_it_is_not_ready(client: Client) -> None:
    assert ready(client) == (503, NOT_READY)


def test_with_a_worker_that_holds_seven_models_it_is_ready(client: Client, worker: Worker) -> None:
    worker("model@one")
    worker("model@two")
    assert ready(client) == (200, {"ready": True, "workers": 2, "models_resident": 7, "bundle": BUNDLE})


def test_while_a_bundle_takes_the_place_of_another_both_are_named(client: Client) -> None:
    for name, bundle in (("one", "mine@2"), ("two", "mine@1"), ("three", "mine@2")):
        worker_seen(f"model@{name}", role="model", models_resident=7, bundle=bundle)
    assert ready(client)[1]["bundle"] == "mine@1, mine@2"


def test_six_models_are_not_enough(client: Client, worker: Worker) -> None:
    worker(models_resident=6)
    assert ready(client) == (503, NOT_READY)


def test_a_heartbeat_that_is_stale_does_not_count(client: Client, worker: Worker, settings: Any) -> None:
    worker()
    age(settings.HEARTBEAT_STALE_SECONDS / 2)
    assert ready(client)[0] == 200
    age(settings.HEARTBEAT_STALE_SECONDS + 1)
    assert ready(client) == (503, NOT_READY)


def test_an_upkeep_worker_analyses_nothing(client: Client) -> None:
    worker_seen("upkeep@one", role="upkeep")
    assert ready(client) == (503, NOT_READY)


def test_a_worker_that_starts_anew_or_has_left_holds_no_model(client: Client, worker: Worker) -> None:
    worker()
    worker_started("model@one", role="model")
    assert ready(client) == (503, NOT_READY)
    worker()
    worker_left("model@one")
    assert ready(client) == (503, NOT_READY)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_they_can_be_read_and_nothing_else(client: Client, path: str) -> None:
    assert client.head(path).status_code in {200, 503}
    assert client.post(path).status_code == 405
