"""Fixtures of the API tests: a client that sends a photo, a worker with a heartbeat, and staff."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client

from backend.analyses.collectors import analyses
from backend.operations.probe import broker_probe, storage_probe
from backend.operations.services import record_heartbeat, record_run
from ml.labels import MODEL_KEYS
from tests.api.contract import ContractClient
from tests.support.analyses import BUNDLE

Worker = Callable[..., None]


@pytest.fixture(autouse=True)
def photos(storage: Path) -> Callable[[], list[str]]:
    """The names of the photos in storage now."""
    return lambda: sorted(path.name for path in storage.glob("*"))


@pytest.fixture(scope="session", autouse=True)
def static_root() -> None:
    """An empty folder of static files, as none are collected for these tests: WhiteNoise warns if it is missing."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def api() -> ContractClient:
    """A client that sends photos, asks for English, and checks every answer against the schema."""
    return ContractClient()


@pytest.fixture
def worker(db: None) -> Worker:
    """Lets a model worker take a heartbeat; by default a ready one that takes two seconds a photo."""

    def beats(name: str = "model@one", *, models_resident: int = len(MODEL_KEYS), seconds: float | None = 2.0) -> None:
        record_heartbeat(name, role="model", models_resident=models_resident, bundle=BUNDLE, photo_seconds=seconds)

    return beats


@pytest.fixture(autouse=True)
def fresh_looks() -> None:
    """What a process caches for some seconds is read again in each test."""
    for look in (storage_probe, broker_probe, analyses):
        look.forget()


@pytest.fixture
def upkeep(db: None) -> None:
    """An upkeep worker that took a heartbeat just now, and ended a round of the reaper."""
    record_heartbeat("upkeep@one", role="upkeep")
    record_run("reap", seconds=0.1, counts={"requeued": 2, "failed": 1, "resent": 3})


@pytest.fixture
def admin(db: None, plain_static: None) -> Client:
    """An admin who has signed in."""
    browser = Client(headers={"Accept-Language": "en"})
    browser.force_login(get_user_model().objects.create_superuser("admin"))
    return browser


@pytest.fixture
def plain_static(settings: Any) -> None:
    """Static files under their own names, so that pages can be made without collecting and compressing all of them."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
