"""/healthz and /readyz"""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from backend.operations import redis_client
from backend.operations.models import Round
from backend.operations.models import Worker as WorkerRow
from backend.operations.probe import Probe, storage_probe
from backend.operations.selectors import fresh_worker_names, pace
from backend.operations.services import (
    delete_stale_workers,
    record_heartbeat,
    record_run,
    register_worker,
    unregister_worker,
)
from deploy.launcher.settings import free_port
from tests.api.conftest import Worker
from tests.support.analyses import BUNDLE

pytestmark = [pytest.mark.database, pytest.mark.django_db]

READY = {"ready": True, "workers": 1, "models_resident": 7, "bundle": BUNDLE, "reasons": [], "warnings": []}


def not_ready(*reasons: str) -> tuple[int, dict[str, Any]]:
    """The answer while no model worker is there that counts."""
    none = {"ready": False, "workers": 0, "models_resident": 0, "bundle": None}
    return 503, {**none, "reasons": list(reasons), "warnings": []}


def ready(client: Client) -> tuple[int, Any]:
    answer = client.get("/readyz")
    return answer.status_code, answer.json()


def age(seconds: float, role: str = "model") -> None:
    """Let the last heartbeat of every worker of this role be so old."""
    WorkerRow.objects.filter(role=role).update(seen_at=timezone.now() - timedelta(seconds=seconds))


def test_healthz_says_that_this_process_answers_and_asks_nobody(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"alive": True})
    assert "no-store" in answer["Cache-Control"]


def test_where_nobody_is_it_is_not_ready_and_says_all_that_is_missing(client: Client) -> None:
    assert ready(client) == not_ready("no_worker", "upkeep_stale", "reaper_stale")


@pytest.mark.usefixtures("upkeep")
def test_without_a_worker_it_is_not_ready(client: Client) -> None:
    assert ready(client) == not_ready("no_worker")


@pytest.mark.usefixtures("upkeep")
def test_with_a_worker_that_holds_seven_models_it_is_ready(client: Client, worker: Worker) -> None:
    worker("model@one")
    worker("model@two")
    assert ready(client) == (200, {**READY, "workers": 2})


@pytest.mark.usefixtures("upkeep")
def test_it_takes_two_reads_of_rows(client: Client, worker: Worker, django_assert_num_queries: Any) -> None:
    worker()
    with django_assert_num_queries(2):
        assert ready(client)[0] == 200


def test_while_a_bundle_takes_the_place_of_another_both_are_named(client: Client) -> None:
    for name, bundle in (("one", "mine@2"), ("two", "mine@1"), ("three", "mine@2")):
        record_heartbeat(f"model@{name}", role="model", models_resident=7, bundle=bundle)
    assert ready(client)[1]["bundle"] == "mine@1, mine@2"


@pytest.mark.usefixtures("upkeep")
def test_six_models_are_not_enough(client: Client, worker: Worker) -> None:
    worker(models_resident=6)
    assert ready(client) == not_ready("models_missing")


@pytest.mark.usefixtures("upkeep")
def test_a_heartbeat_that_is_stale_does_not_count(client: Client, worker: Worker, settings: Any) -> None:
    worker()
    age(settings.HEARTBEAT_STALE_SECONDS / 2)
    assert ready(client)[0] == 200
    age(settings.HEARTBEAT_STALE_SECONDS + 1)
    assert ready(client) == not_ready("worker_stale")


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_heartbeat_does_not_depend_on_the_clock_of_the_worker(
    client: Client, worker: Worker, settings: Any, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    here = timezone.now
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(timezone, "now", lambda: here() + timedelta(hours=hours))
        worker()
        record_heartbeat("upkeep@one", role="upkeep")
        record_run("reap", seconds=0.1, counts={})
        assert delete_stale_workers() == 0
    assert ready(client) == (200, READY)
    assert fresh_worker_names() == {"model@one", "upkeep@one"}
    assert pace().workers == 1
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(timezone, "now", lambda: here() - timedelta(hours=hours))
        assert ready(client) == (200, READY)
        assert fresh_worker_names() == {"model@one", "upkeep@one"}
        assert pace().workers == 1
        assert delete_stale_workers() == 0
    age(settings.HEARTBEAT_STALE_SECONDS + 1)
    assert pace().workers == 0


def test_a_heartbeat_from_the_future_does_not_count_until_then(client: Client, worker: Worker) -> None:
    """The database's clock was wrong for a while, and is right again."""
    worker()
    record_heartbeat("upkeep@one", role="upkeep")
    record_run("reap", seconds=0.1, counts={})
    later = timezone.now() + timedelta(days=2)
    WorkerRow.objects.update(seen_at=later)
    Round.objects.update(ended_at=later)
    assert ready(client) == not_ready("worker_stale", "upkeep_stale", "reaper_stale")
    assert fresh_worker_names() == frozenset()
    assert pace().workers == 0


@pytest.mark.usefixtures("upkeep")
def test_an_upkeep_worker_analyses_nothing(client: Client) -> None:
    record_heartbeat("upkeep@one", role="upkeep")
    assert ready(client) == not_ready("no_worker")


@pytest.mark.usefixtures("upkeep")
def test_a_worker_that_starts_anew_or_has_left_holds_no_model(client: Client, worker: Worker) -> None:
    worker()
    register_worker("model@one", role="model")
    assert ready(client) == not_ready("models_missing")
    worker()
    unregister_worker("model@one")
    assert ready(client) == not_ready("no_worker")


@pytest.mark.usefixtures("upkeep")
def test_without_upkeep_that_lives_and_reaps_it_is_not_ready(client: Client, worker: Worker, settings: Any) -> None:
    worker()
    assert ready(client) == (200, READY)
    Round.objects.update(ended_at=timezone.now() - timedelta(seconds=settings.LEASE_SECONDS - 1))
    assert ready(client) == (200, READY)
    Round.objects.update(ended_at=timezone.now() - timedelta(seconds=settings.LEASE_SECONDS + 1))
    assert ready(client) == (503, {**READY, "ready": False, "reasons": ["reaper_stale"]})
    age(settings.HEARTBEAT_STALE_SECONDS + 1, "upkeep")
    assert ready(client) == (503, {**READY, "ready": False, "reasons": ["upkeep_stale", "reaper_stale"]})


@pytest.mark.usefixtures("upkeep")
def test_without_storage_it_is_not_ready(client: Client, worker: Worker, storage: Path) -> None:
    worker()
    storage.write_text("where the folder was")
    assert ready(client) == (503, {**READY, "ready": False, "reasons": ["storage_unavailable"]})
    storage.unlink()
    assert ready(client)[0] == 503  # It checks again only after some seconds.
    storage_probe.forget()
    assert ready(client) == (200, READY)
    assert not storage.exists()  # It looked, and stored nothing.


@pytest.mark.usefixtures("upkeep")
def test_storage_without_room_for_a_photo_is_away(client: Client, worker: Worker, settings: Any) -> None:
    worker()
    settings.BODY_MAX_BYTES = 10**18
    assert ready(client) == (503, {**READY, "ready": False, "reasons": ["storage_unavailable"]})


@pytest.mark.usefixtures("upkeep")
def test_storage_on_a_server_that_does_not_answer_is_away(client: Client, worker: Worker, settings: Any) -> None:
    worker()
    nowhere = {"endpoint_url": f"http://127.0.0.1:{free_port()}", "access_key": "a", "secret_key": "b"}
    s3 = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {"bucket_name": "photos", **nowhere}}
    settings.STORAGES = {**settings.STORAGES, "default": s3}
    begun = time.monotonic()
    assert ready(client) == (503, {**READY, "ready": False, "reasons": ["storage_unavailable"]})
    assert time.monotonic() - begun < Probe.PATIENCE_SECONDS + 1


@pytest.mark.usefixtures("upkeep")
def test_without_a_broker_it_is_ready_with_a_warning(
    client: Client, worker: Worker, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker()
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{free_port()}/0"
    monkeypatch.setattr(redis_client, "_client", None)
    assert ready(client) == (200, {**READY, "warnings": ["broker_unavailable"]})


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_they_can_be_read_and_nothing_else(client: Client, path: str) -> None:
    assert client.head(path).status_code in {200, 503}
    assert client.post(path).status_code == 405


def test_a_container_is_healthy_only_once_its_worker_holds_seven_models(settings: Any) -> None:
    def healthy(name: str) -> bool:
        try:
            call_command("check_worker", name)
        except CommandError:
            return False
        return True

    assert not healthy("model@one")
    register_worker("model@one", role="model")
    assert not healthy("model@one")
    record_heartbeat("model@one", role="model", models_resident=7, bundle=BUNDLE)
    assert healthy("model@one")
    age(settings.HEARTBEAT_STALE_SECONDS + 1)
    assert not healthy("model@one")
    record_heartbeat("upkeep@one", role="upkeep")
    assert healthy("upkeep@one")
