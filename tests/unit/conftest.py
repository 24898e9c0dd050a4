from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from ml.bundle import Bundle
from ml.predictor import Predictor
from tests.support.ml_bundles import copy_bundle


@pytest.fixture(scope="session")
def bundle(small_bundle: Path) -> Bundle:
    """Seven B0 at 64×64 whose gate passes every photo. Copy it before altering it."""
    return Bundle.open(small_bundle)


@pytest.fixture(scope="session")
def predictor(bundle: Bundle) -> Predictor:
    return Predictor(bundle, "cpu")


@pytest.fixture
def bundle_copy(bundle: Bundle, tmp_path: Path) -> Path:
    """A copy of the small bundle to alter."""
    return copy_bundle(bundle, tmp_path / "copy")


@pytest.fixture
def visitor(settings: Any, tmp_path: Path) -> Client:
    """A visitor who reads English, with static files under their own names and an empty storage."""
    settings.STORAGES = {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    return Client(headers={"Accept-Language": "en"})
