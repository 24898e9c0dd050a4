"""The short form of `make chaos`: every fault of the catalog, under a load that lasts seconds.

On PostgreSQL these are its own faults, and those in which the database decides between two attempts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ml.build.from_seeds import build_seeded_bundle
from tests.chaos.faults import Fault, catalog
from tests.chaos.matrix import run_fault, table
from tests.chaos.supervised_stack import SupervisedStack
from tests.support.environment import POSTGRESQL, SCRATCH, NotHere

pytestmark = [pytest.mark.processes, pytest.mark.database]

PHOTOS = 24
SECONDS = 4
FENCED = {"killed-between-two-models", "stopped-beyond-its-lease", "told-to-leave"}
FAULTS = {
    name: one
    for name, one in catalog("postgresql" if POSTGRESQL else "sqlite").items()
    if not POSTGRESQL or one.database or name in FENCED
}


@pytest.fixture(scope="module")
def stack(small_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SupervisedStack]:
    following = tmp_path_factory.mktemp("bundles") / "next"
    build_seeded_bundle(following, architecture="efficientnet-b0", image_size=64, seed=1, version="1.0.1")
    running = SupervisedStack(SCRATCH / "chaos", small_bundle, following)
    try:
        yield running.up()
    finally:
        running.down()


@pytest.mark.parametrize("one", [pytest.param(one, id=name) for name, one in FAULTS.items()])
def test_whatever_breaks_nothing_is_lost_and_nothing_is_done_twice(stack: SupervisedStack, one: Fault) -> None:
    try:
        result = run_fault(one, stack, photos=PHOTOS, seconds=SECONDS)
    except NotHere as reason:
        pytest.skip(str(reason))
    finally:
        stack.mend()
    print(table([result]), *result.wrong, sep="\n")
    assert not result.wrong
    assert (result.lost, result.twice) == (0, 0)
