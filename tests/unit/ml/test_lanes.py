"""Lanes: photos and models side by side on a runtime that runs several forward passes at once."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from ml.bundle import Bundle
from ml.errors import OutOfMemory
from ml.runtimes import Forward, Trunk
from ml.runtimes.eager import EagerRuntime
from ml.runtimes.resident import ResidentModels

BATCH = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))
PATIENCE = 60.0  #: seconds until a pass that waits for another gives up, which breaks the test


class LanedRuntime(EagerRuntime):
    """Eager torch with two lanes; notes how many photos each pass got, by trunk."""

    lanes = 2

    def __init__(self) -> None:
        super().__init__("cpu")
        self.passes: list[tuple[str, int]] = []
        #: Where it is set, a pass ends only while another one runs.
        self.together: threading.Barrier | None = None
        self.fails = False

    def load(self, trunk: Trunk) -> Forward:
        eager = super().load(trunk)

        def forward(batch: torch.Tensor) -> torch.Tensor:
            self.passes.append((trunk.key, len(batch)))
            if self.together is not None:
                self.together.wait(PATIENCE)
            if self.fails:
                raise MemoryError
            return eager(batch)

        return forward


@pytest.fixture
def runtime() -> LanedRuntime:
    return LanedRuntime()


def resident(bundle: Bundle, runtime: EagerRuntime, **changes: object) -> tuple[ResidentModels, list[str]]:
    """The first two models of a bundle, and their keys."""
    models, keys = ResidentModels(runtime), []
    for model, networks in list(bundle.networks())[:2]:
        models.load(model.model_copy(update=changes), networks)
        keys.append(model.key)
    return models, keys


def test_two_photos_are_looked_at_side_by_side(bundle: Bundle, runtime: LanedRuntime) -> None:
    models, (key, _) = resident(bundle, runtime)
    runtime.together = threading.Barrier(2)
    models.run(key, BATCH[:2])
    assert [photos for _, photos in runtime.passes] == [1, 1]


def test_the_next_model_begins_with_a_photo_that_leaves_a_lane_free(bundle: Bundle, runtime: LanedRuntime) -> None:
    models, (first, second) = resident(bundle, runtime)
    photo = BATCH[:1]
    runtime.together = threading.Barrier(2)
    models.run(first, photo, prefetch=(second, photo))
    models.run(second, photo)
    assert len(runtime.passes) == len({trunk for trunk, _ in runtime.passes}) == 2


@pytest.mark.parametrize("flips", ["none", "both"])
def test_answers_are_those_of_one_lane(bundle: Bundle, runtime: LanedRuntime, flips: str) -> None:
    laned, keys = resident(bundle, runtime, flips=flips)
    plain, _ = resident(bundle, EagerRuntime("cpu"), flips=flips)
    first, second = keys
    for key, prefetch in ((first, (second, BATCH)), (second, None)):
        found = laned.run(key, BATCH, prefetch=prefetch, features=True, maps=True)
        alone = [plain.run(key, photo, features=True, maps=True) for photo in BATCH.split(1)]
        for part, axis in (("outputs", 1), ("probabilities", 0), ("features", 0), ("maps", 0)):
            expected = np.concatenate([getattr(answer, part) for answer in alone], axis)
            np.testing.assert_allclose(getattr(found, part), expected, rtol=1e-4, atol=1e-3)


def test_what_was_begun_for_other_photos_answers_nobody(bundle: Bundle, runtime: LanedRuntime) -> None:
    models, (first, second) = resident(bundle, runtime)
    models.run(first, BATCH, prefetch=(second, BATCH))
    fewer = BATCH[1:].clone()
    found = models.run(second, fewer).probabilities
    models.forget()
    np.testing.assert_allclose(found, models.run(second, fewer).probabilities, atol=1e-5)
    assert len(found) == 2


def test_a_failure_in_a_lane_fails_its_model_and_not_the_next_batch(bundle: Bundle, runtime: LanedRuntime) -> None:
    models, (first, second) = resident(bundle, runtime)
    runtime.fails = True
    with pytest.raises(OutOfMemory):
        models.run(first, BATCH, prefetch=(second, BATCH))
    runtime.fails = False
    assert models.run(first, BATCH).probabilities.shape == (3, 4)
