from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from backend.operations.task_names import PHOTOS_QUEUE
from tests.support.environment import SCRATCH
from tests.support.stack import Stack


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where only the tests on a database are wanted, files without any are not read: their imports take long."""
    only_database = config.option.markexpr == "database"
    file = collection_path.name.startswith("test_") and collection_path.suffix == ".py"
    return True if only_database and file and "mark.database" not in collection_path.read_text() else None


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """SQLite's test database is a file, as in production: in memory, threads that write get in each other's way."""
    from django.db import connection

    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(SCRATCH / "test.sqlite3")


@pytest.fixture
def storage(settings: Any, tmp_path: Path) -> Path:
    """An empty storage for photos, of this test alone; the folder that it keeps them in."""
    folder = tmp_path / "photos"
    default = {**settings.STORAGES["default"]}
    default["OPTIONS"] = {**default["OPTIONS"], "location": str(folder)}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    return folder


@pytest.fixture
def broker(settings: Any) -> Iterator[redis.Redis]:
    """The tests' broker, without any data."""
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        client.flushall()
        yield client
        client.flushall()


@pytest.fixture
def sent_messages(broker: redis.Redis) -> Callable[[], list[str]]:
    """Lists the ids in the messages that wait for a worker, the first one first."""

    def waiting() -> list[str]:
        bodies = [base64.b64decode(json.loads(message)["body"]) for message in broker.lrange(PHOTOS_QUEUE, 0, -1)]
        return [json.loads(body)[1]["analysis_id"] for body in reversed(bodies)]

    return waiting


@pytest.fixture(scope="session")
def small_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven small networks: the whole way through the service without the weight of seven B7s."""
    from ml.build.from_seeds import (
        build_seeded_bundle,  # It brings torch along, which not every process of the tests needs.
    )

    folder = tmp_path_factory.mktemp("bundles") / "small"
    build_seeded_bundle(folder, architecture="efficientnet-b0", image_size=64, seed=1)
    return folder


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, small_bundle: Path) -> Iterator[Stack]:
    """The running service, shared by the tests that break nothing.

    Its leases are longer than those that other tests wait for: heartbeats and rounds every second would take a
    twelfth of a core for as long as the tests last.
    """
    running = Stack(tmp_path_factory.mktemp("stack"), small_bundle, SCALP_LEASE_SECONDS="18")
    try:
        yield running.up()
    finally:
        running.down()
