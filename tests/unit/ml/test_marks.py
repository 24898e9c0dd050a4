"""Marks on ungraded photographs: read, trained on as a ranking, and measured by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ml.cli import main
from ml.data.files import find_photographs
from ml.data.marks import Marks, marked_records, read_marks
from ml.data.records import UNLABELED
from ml.data.synthetic import draw_scalp
from ml.data.synthetic.cohort import plan_cohort
from ml.data.synthetic.dataset import write_dataset
from ml.errors import DataSetInvalid
from ml.evaluation.marked import rank_marked, rankings_table
from ml.labels import SYMPTOMS
from ml.training.pictures import grades_of, marked_shares
from ml.training.recipe import load_recipe
from ml.training.run import Run
from ml.training.session import with_marked
from ml.training.trainer import _identity

KEYS = [symptom.key for symptom in SYMPTOMS]
NOTHING = Marks(0.0, 0.0, 0.0)
RECIPE = """
description = "Small enough for a test."
architecture = "efficientnet-lite0"
image_size = 64
frozen_blocks = 2
augmentation = "gentle"
loss = "cross_entropy"
learning_rate = 0.002
epochs = 1
batch = 8
"""
HEAD = "file,dandruff_share,oil_share,sensitive_share"


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four drawn scalps in the place of photographs, with marks on three of them."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(4):
        draw_scalp(700 + number, [0] * 6).save(folder / f"{number}.jpg")
    rows = [HEAD, "0.jpg,0,0,0", "1.jpg,0.05,0.1,0", "2.jpg,0.2,0,0.01", "gone.jpg,1,1,1"]
    (folder / "marks.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def test_marks_say_how_much_of_three_signs_shows_and_nothing_of_grades(photos: Path) -> None:
    records = marked_records(find_photographs(photos), read_marks(photos / "marks.csv"))
    assert [record.id for record in records] == ["0", "1", "2"]
    assert (grades_of(records, KEYS) == UNLABELED).all()
    shares = marked_shares(records, ["dandruff", "hair_loss", "excess_sebum", "interfollicular_erythema"])
    assert shares[:, [0, 2, 3]].tolist() == np.float32([[0, 0, 0], [0.05, 0.1, 0], [0.2, 0, 0.01]]).tolist()
    assert np.isnan(shares[:, 1]).all()


def test_photographs_without_two_marked_ones_are_refused(photos: Path) -> None:
    with pytest.raises(DataSetInvalid, match="1 of 4 photographs are in the marks"):
        marked_records(find_photographs(photos), {"2.jpg": NOTHING})


@pytest.mark.parametrize("text", ["file,dandruff_share\na.jpg,0\n", f"{HEAD}\na,x,0,0\n", f"{HEAD}\na,20,0,0\n"])
def test_a_table_that_is_no_table_of_marks_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "marks.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataSetInvalid, match="columns file, dandruff_share"):
        read_marks(tmp_path / "marks.csv")


def test_marked_photographs_are_repeated_until_they_are_a_third(photos: Path) -> None:
    marked = marked_records(find_photographs(photos), read_marks(photos / "marks.csv"))
    graded = marked[:1] * 60
    both = with_marked(graded, marked)
    assert both[:60] == graded
    assert both[60:] == marked * 10
    assert with_marked(graded, []) == graded
    assert with_marked(graded[:1], marked) == [*graded[:1], *marked]


def test_training_learns_from_marked_photographs_beside_graded_pictures(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, recipe = tmp_path / "set", tmp_path / "small.toml"
    write_dataset(data, plan_cohort(24, seed=5, persons=6, balanced=True), workers=1)
    recipe.write_text(RECIPE)

    def train(out: str, *more: str | Path) -> int:
        words = ["train", data, "--recipe", recipe, "--out", tmp_path / out, "--workers", "0", *more]
        return main([str(word) for word in words])

    marks = ("--marks", photos / "marks.csv")
    assert train("alone") == 0
    assert train("ranked", "--photos", photos, *marks) == 0
    alone, ranked = (Run.open(tmp_path / name).weights() for name in ("alone", "ranked"))
    assert any(not torch.equal(alone[name], ranked[name]) for name in alone)
    assert train("neither", "--photos", photos) == 1
    assert "--photos and --marks belong together" in capsys.readouterr().err
    assert not (tmp_path / "neither").exists()


def test_a_training_with_other_marks_does_not_go_on_with_the_first(photos: Path, tmp_path: Path) -> None:
    records = marked_records(find_photographs(photos), read_marks(photos / "marks.csv"))
    other = marked_records(find_photographs(photos), dict.fromkeys(("0.jpg", "1.jpg", "2.jpg"), NOTHING))
    identities = {_identity(load_recipe("b0-224"), each, [], KEYS, 0, None) for each in (records, other, [])}
    assert len(identities) == 3


def test_marked_photographs_are_ranked_by_the_sign_that_the_mark_means() -> None:
    marks = [Marks(0.1, 0.0, 0.0), NOTHING, Marks(0.2, 0.0, 0.0), NOTHING]
    scores = {"dandruff": np.array([2.0, 1.0, 0.5, 0.0]), "excess_sebum": np.zeros(4)}
    (ranking,) = rank_marked(scores, marks)
    assert (ranking.symptom, ranking.marked, ranking.photographs, ranking.auc) == ("dandruff", 2, 4, 0.75)
    assert "| Dandruff | 2 of 4 | 0.75 |" in rankings_table({"some": [ranking]})
