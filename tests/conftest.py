from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ml.seeded import build_seeded_bundle
from tests.stack import Stack


@pytest.fixture(scope="session")
def small_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven small networks: the whole way through the service without the weight of seven B7s."""
    folder = tmp_path_factory.mktemp("bundles") / "small"
    build_seeded_bundle(folder, architecture="efficientnet-b0", image_size=64, seed=1)
    return folder


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, small_bundle: Path) -> Iterator[Stack]:
    """The running service, shared by the tests that break nothing."""
    running = Stack(tmp_path_factory.mktemp("stack"), small_bundle)
    try:
        yield running.up()
    finally:
        running.down()
