"""Painted photographs: signs of known grades on photographs that nobody graded, and how well marks are ranked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ml.cli import main
from ml.data.aihub import read_aihub
from ml.data.synthetic import SIZE, draw_scalp
from ml.data.synthetic.painting import DANDRUFF, LOSS, PAINTED, Marks, paint_signs, plan_painting, read_marks
from ml.errors import DataSetInvalid
from ml.evaluation.marked import rank_marked, rankings_table
from ml.labels import SYMPTOMS
from ml.training.losses import create_loss, cross_entropy, grade_weights
from ml.training.pictures import grades_of
from ml.training.recipe import load_recipe

NOTHING = Marks(0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four drawn scalps without a sign, as somebody's photographs, and marks on two of them."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(4):
        draw_scalp(700 + number, [0] * 6).save(folder / f"{number}.jpg")
    rows = ["file,dandruff_share,oil_share,sensitive_share", "0.jpg,0,0,0", "1.jpg,0.05,0.1,0"]
    (folder / "marks.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def test_marks_label_what_is_absent_and_leave_the_rest_open() -> None:
    assert NOTHING.grades() == (0, 0, 0, 0, 0, None)
    assert Marks(0.05, 0.0, 0.0).grades() == (None, 0, 0, 0, 2, None)
    assert Marks(0.01, 0.2, 0.3).grades() == (None, None, None, None, 1, None)
    assert Marks(0.3, 0.0, 0.0).grades()[DANDRUFF] == 3


def test_each_sign_is_painted_on_the_skin_and_grows_with_its_grade() -> None:
    photo = draw_scalp(703, [0] * 6)
    plain = np.asarray(paint_signs(photo, 9, [0] * 6)).astype(int)
    assert abs(plain - np.asarray(photo).astype(int)).max() <= 1
    for sign in PAINTED:
        changed = []
        for grade in (1, 2, 3):
            grades = [0] * 6
            grades[sign] = grade
            changed.append(float((abs(np.asarray(paint_signs(photo, 9, grades)).astype(int) - plain) > 6).mean()))
        assert 0 < changed[0] < changed[1] < changed[2], SYMPTOMS[sign].key
    grades = [0] * 6
    grades[LOSS] = 3
    assert (np.asarray(paint_signs(photo, 9, grades)).astype(int) == plain).all()


def test_a_marked_sign_is_not_painted_and_labels_keep_to_what_is_known(photos: Path) -> None:
    marks = read_marks(photos / "marks.csv")
    shots = plan_painting(sorted(photos.glob("*.jpg")), marks, variants=20, seed=1)
    assert len(shots) == 78
    for shot in shots:
        known = marks[shot.photo.name].grades() if shot.photo.name in marks else (None,) * 6
        for sign, (painted, grade) in enumerate(zip(shot.painted, shot.grades, strict=True)):
            assert grade == (painted or known[sign])
            assert not painted or not known[sign]
    first = [shot for shot in shots if shot.photo.name == "1.jpg"]
    assert not any(shot.painted[DANDRUFF] for shot in first)
    assert not any(first[0].painted)
    assert all(any(grade is not None for grade in shot.grades) for shot in shots)
    assert len({shot.person for shot in shots}) == 4


def test_the_command_writes_a_partly_labelled_set_that_training_reads(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "painted"
    arguments = ["data", "paint", photos, out, "--marks", photos / "marks.csv", "--variants", "3", "--workers", "1"]
    assert main([str(each) for each in arguments]) == 0
    records = read_aihub(out, partial_labels=True).records
    assert len(records) == 10
    with Image.open(records[0].open()) as picture:
        assert picture.size == SIZE
    grades = grades_of(records, [symptom.key for symptom in SYMPTOMS])
    assert (grades[:, LOSS] == -1).all()
    assert {0, 2} <= set(grades[:, DANDRUFF].tolist())


def test_what_is_not_labelled_costs_nothing() -> None:
    outputs = torch.randn(5, 2, 4, generator=torch.Generator().manual_seed(1))
    truth = torch.tensor([[0, -1], [3, 2], [-1, -1], [1, 0], [-1, 3]])
    loss = create_loss(load_recipe("b0-224"), truth.numpy())(outputs, truth)
    each = cross_entropy(outputs, truth.clamp_min(0))
    assert torch.isclose(loss, each[truth >= 0].mean())
    nothing = create_loss(load_recipe("b0-224"), truth.numpy())(outputs, torch.full_like(truth, -1))
    assert float(nothing) == 0
    assert np.isfinite(grade_weights(np.full((3, 2), -1))).all()


@pytest.mark.parametrize(
    "text", ["file,dandruff_share\na.jpg,0\n", "file,dandruff_share,oil_share,sensitive_share\na,x,0,0\n"]
)
def test_a_table_that_is_no_table_of_marks_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "marks.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataSetInvalid, match="columns file, dandruff_share"):
        read_marks(tmp_path / "marks.csv")


def test_marked_photographs_are_ranked_by_the_sign_that_the_mark_means() -> None:
    marks = [Marks(0.1, 0.0, 0.0), NOTHING, Marks(0.2, 0.0, 0.0), NOTHING]
    scores = {"dandruff": np.array([2.0, 1.0, 0.5, 0.0]), "excess_sebum": np.zeros(4)}
    (ranking,) = rank_marked(scores, marks)
    assert (ranking.symptom, ranking.marked, ranking.photographs, ranking.auc) == ("dandruff", 2, 4, 0.75)
    assert "| Dandruff | 2 of 4 | 0.75 |" in rankings_table({"some": [ranking]})
