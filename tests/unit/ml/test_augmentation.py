"""Augmentation: what each recipe does to a picture, and what it leaves."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from ml.data.records import Record
from ml.data.synthetic import draw_scalp
from ml.preprocessing import Preprocessing, to_tensor
from ml.training.augmentation import ColorCast, Compression, QuarterTurn, augmentation
from ml.training.pictures import Pictures, seed_of, steps_in, training_batches

SPEC = Preprocessing(96, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
PICTURE = draw_scalp(11, (1, 1, 1, 1, 1, 1))


@pytest.mark.parametrize("name", ["deck", "gentle", "strong"])
def test_an_augmentation_gives_what_a_network_takes_and_a_seed_decides_it(name: str) -> None:
    transform = augmentation(name, SPEC)

    def drawn(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return transform(PICTURE)

    first = drawn(1)
    assert (first.shape, first.dtype) == ((3, 96, 96), torch.float32)
    assert torch.equal(first, drawn(1))
    assert not torch.equal(first, drawn(2))


def test_all_recipes_show_the_picture_that_serving_shows() -> None:
    served = to_tensor(PICTURE, SPEC)[:, 32:64, 32:64].mean(dim=(1, 2))
    for name in ("deck", "gentle", "strong"):
        torch.manual_seed(0)
        views = torch.stack([augmentation(name, SPEC)(PICTURE) for _ in range(24)])
        # In the middle, where turned frames have no black corners; casts go both ways and cancel out.
        assert (views[:, :, 32:64, 32:64].mean(dim=(0, 2, 3)) - served).abs().max() < 0.3


def test_our_recipes_move_colors_and_the_decks_does_not() -> None:
    def spread(name: str) -> float:
        torch.manual_seed(0)
        views = torch.stack([augmentation(name, SPEC)(PICTURE)[:, 40:56, 40:56].mean(dim=(1, 2)) for _ in range(24)])
        ratios = views[:, 0] - views[:, 2]
        return float(ratios.std())

    assert spread("strong") > spread("gentle") > 1.5 * spread("deck")


def test_a_quarter_turn_loses_nothing() -> None:
    picture = torch.arange(27.0).reshape(3, 3, 3)
    torch.manual_seed(0)
    turned = QuarterTurn()(picture)
    assert not torch.equal(turned, picture)
    assert torch.equal(turned.sort().values.sum(), picture.sum())
    assert any(torch.equal(torch.rot90(turned, back, (-2, -1)), picture) for back in range(4))


def test_a_color_cast_keeps_bytes_in_range() -> None:
    torch.manual_seed(0)
    for _ in range(20):
        cast = ColorCast()(torch.rand(3, 16, 16))
        assert 0 <= float(cast.min()) <= float(cast.max()) <= 1


def test_compression_leaves_more_traces_the_lower_its_quality() -> None:
    picture = v2.functional.pil_to_tensor(PICTURE)

    def traces(lowest: int, highest: int) -> float:
        compressed = Compression(lowest, highest)(picture)
        assert (compressed.shape, compressed.dtype) == (picture.shape, torch.uint8)
        return float((compressed.float() - picture.float()).abs().mean())

    coarse, fine = traces(40, 40), traces(95, 95)
    assert coarse > 2 * fine > 0
    torch.manual_seed(0)
    between = [traces(40, 95) for _ in range(12)]
    assert len(set(between)) > 6
    assert fine <= min(between) < max(between) <= coarse


def test_no_step_of_our_recipe_is_deprecated() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for seed in range(12):
            torch.manual_seed(seed)
            augmentation("strong", SPEC)(PICTURE)


def test_batches_are_those_of_the_seed_whatever_the_number_of_loaders(record: Record) -> None:
    pictures = Pictures([record] * 10, ["dandruff"], SPEC, augmentation("strong", SPEC), seed=4)

    def batches(workers: int, skip: int = 0, epoch: int = 1) -> list[torch.Tensor]:
        found = training_batches(pictures, 4, seed=4, epoch=epoch, skip=skip, workers=workers)
        return [inputs for inputs, _, _ in found]

    alone = batches(0)
    assert [len(batch) for batch in alone] == [4, 4]
    assert all(torch.equal(one, other) for one, other in zip(alone, batches(2), strict=True))
    assert torch.equal(batches(0, skip=1)[0], alone[1])
    assert not torch.equal(batches(0, epoch=2)[0], alone[0])
    assert (steps_in(10, 4), steps_in(3, 4)) == (2, 1)


def test_seeds_of_neighbors_differ() -> None:
    seeds = {seed_of(a, b, c) for a in range(4) for b in range(4) for c in range(4)}
    assert len(seeds) == 64
    assert all(0 <= seed < np.iinfo(np.int64).max for seed in seeds)


@pytest.fixture
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    from ml.data.aihub import read_aihub
    from ml.data.synthetic.cohort import plan_cohort
    from ml.data.synthetic.dataset import write_dataset

    out = tmp_path_factory.mktemp("one") / "set"
    write_dataset(out, plan_cohort(1, seed=1))
    return read_aihub(out).records[0]
