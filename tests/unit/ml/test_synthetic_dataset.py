"""Synthetic data sets: their grades, persons and names, and that the reader of the real set reads them."""

from __future__ import annotations

import io
import itertools
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml.data.aihub import read_aihub
from ml.data.files import SYNTHETIC_MARKER, is_synthetic
from ml.data.names import PictureName
from ml.data.synthetic.cohort import Shot, plan_cohort
from ml.data.synthetic.dataset import write_dataset
from ml.data.synthetic.grades import GRADE_SHARES, cramers_v, draw_grades, joint_shares
from ml.errors import DataSetInvalid
from ml.labels import SYMPTOMS, scalp_type
from tests.support.environment import ROOT


def shot(number: int, grades: str, part: str = "Training") -> Shot:
    stem = f"{number:04d}_A2LEBJJDE00060O_{1602578303771 + number}_3_TH"
    return Shot(stem, stem[:-3], number, number, tuple(map(int, grades)), part, "여", "40대", "TH")


SHOTS = [shot(1, "000000"), shot(2, "120300"), shot(3, "000031", "Validation")]


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_grades_are_as_frequent_as_in_the_real_set() -> None:
    grades = draw_grades(np.random.default_rng(0), 40_000, balanced=False)
    shares = (grades[:, :, None] == np.arange(4)).mean(axis=0)
    assert np.abs(shares - GRADE_SHARES).max() < 0.01


def test_dry_and_oily_scalps_are_as_frequent_as_in_the_real_set() -> None:
    """6.9 % and 28.0 % of the real labels. Were scaling and sebum independent, it would be 3.9 % and 25.3 %."""
    shares: defaultdict[str, float] = defaultdict(float)
    for grades in itertools.product(range(4), repeat=6):
        others = [GRADE_SHARES[symptom][grade] for symptom, grade in enumerate(grades)][2:]
        shares[scalp_type(grades)[0]] += joint_shares()[grades[0], grades[1]] * np.prod(others)
    assert 100 * shares["건성"] == pytest.approx(6.9, abs=0.3)
    assert 100 * shares["지성"] == pytest.approx(28.0, abs=0.3)


def test_scaling_and_sebum_depend_on_each_other_and_no_other_pair_does() -> None:
    joint = joint_shares()
    assert joint.min() >= 0
    assert np.allclose(joint.sum(axis=1), GRADE_SHARES[0])
    assert np.allclose(joint.sum(axis=0), GRADE_SHARES[1])
    assert cramers_v(joint) == pytest.approx(0.448)
    grades = draw_grades(np.random.default_rng(0), 40_000, balanced=False)
    for first in range(len(SYMPTOMS)):
        for second in range(first + 1, len(SYMPTOMS)):
            table = np.histogram2d(grades[:, first], grades[:, second], bins=4)[0] / 40_000
            assert (cramers_v(table) > 0.08) == ((first, second) == (0, 1))


def test_balanced_grades_are_equally_frequent_and_independent() -> None:
    grades = draw_grades(np.random.default_rng(0), 4000, balanced=True)
    assert ((grades[:, :, None] == np.arange(4)).sum(axis=0) == 1000).all()
    assert np.abs(np.corrcoef(grades.T) - np.eye(6)).max() < 0.06


def test_a_cohort_has_several_pictures_a_person_and_nobody_in_both_parts() -> None:
    shots = plan_cohort(600, seed=4)
    names = [PictureName.parse(each.stem) for each in shots]
    assert all(names)
    persons = {name.person: each.person for name, each in zip(names, shots, strict=True) if name}
    assert len(persons) == len(set(persons.values())) == 50
    parts = [{each.person for each in shots if each.part == part} for part in ("Training", "Validation")]
    assert not parts[0] & parts[1]
    assert all(parts)
    assert len({each.stem for each in shots}) == len({each.seed for each in shots}) == 600
    assert {name.device is None for name in names if name} == {True, False}
    assert {name.shot for name in names if name} == {2, 3, 4, 5, 6}
    assert plan_cohort(600, seed=4) == shots != plan_cohort(600, seed=5)


@pytest.mark.parametrize(("pictures", "persons"), [(5, 6), (5, 0), (20_000, 10_000)])
def test_a_cohort_without_a_picture_for_each_person_is_refused(pictures: int, persons: int) -> None:
    with pytest.raises(ValueError, match="person"):
        plan_cohort(pictures, seed=0, persons=persons)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("synthetic") / "set"
    write_dataset(out, SHOTS)
    return out


def test_the_reader_of_the_real_set_reads_a_synthetic_one(written: Path) -> None:
    read = read_aihub(written, whole_pictures=True)
    assert [record.id for record in read.records] == [each.stem for each in SHOTS]
    assert [record.grades for record in read.records] == [each.grades for each in SHOTS]
    assert [(record.sex, record.age, record.region) for record in read.records] == [("여", "40대", "TH")] * 3
    assert [record.parts for record in read.records] == [("training",), ("training",), ("validation",)]
    assert [record.filed for record in read.records] == [
        tuple((symptom, 0) for symptom in range(6)),
        ((0, 1), (1, 2), (3, 3)),
        ((4, 3), (5, 1)),
    ]


def test_the_synthetic_note_is_not_a_problem_and_covers_subfolders(written: Path, tmp_path: Path) -> None:
    assert list(read_aihub(written).faults) == []
    part = next((written / "Validation").iterdir())
    assert [is_synthetic(path) for path in (written, written / "Validation", part)] == [True] * 3
    (tmp_path / "scalps").mkdir()
    assert not is_synthetic(tmp_path / "scalps")


def test_folders_labels_and_pictures_have_the_real_set_s_form(written: Path) -> None:
    stem = SHOTS[1].stem
    label = written / "Training" / "[라벨]피지 과다_2.중등도" / f"{stem}.json"
    assert json.loads(label.read_bytes()) == {
        "image_id": stem[:-3],
        "image_file_name": f"{stem}.jpg",
        **{f"value_{number}": value for number, value in enumerate("120300", 1)},
    }
    assert label.with_name(f"{stem}_META.json").is_file()
    picture = (written / "Training" / "[원천]모낭홍반농포_3.중증" / f"{stem}.jpg").read_bytes()
    with Image.open(io.BytesIO(picture)) as image:
        assert (image.size, image.format) == ((640, 480), "JPEG")
        assert image.info["comment"].startswith(b"Synthetic")
    assert "synthetic" in (written / SYNTHETIC_MARKER).read_text()


def test_zips_hold_the_same_pictures_however_many_workers_draw_them(written: Path, tmp_path: Path) -> None:
    for number, workers in enumerate((1, 2)):
        write_dataset(tmp_path / str(number), SHOTS, zipped=True, workers=workers)
    assert files(tmp_path / "0") == files(tmp_path / "1")
    zipped, plain = read_aihub(tmp_path / "0").records, read_aihub(written).records
    assert zipped == plain
    assert [record.read() for record in zipped] == [record.read() for record in plain]


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "set"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(DataSetInvalid, match="there already"):
        write_dataset(out, SHOTS[:1])
    assert files(tmp_path) == {"set/mine.txt": b"mine"}


def test_an_interrupted_set_leaves_nothing_behind(tmp_path: Path) -> None:
    broken = shot(9, "000009")
    with pytest.raises(ValueError, match="six grades"):
        write_dataset(tmp_path / "set", [SHOTS[1], broken])
    assert list(tmp_path.iterdir()) == []


def synthesise(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ml", "data", "synthesise", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_synthesise_says_what_it_wrote(tmp_path: Path) -> None:
    done = synthesise(tmp_path / "set", "--pictures", "8", "--persons", "2", "--balanced", "--workers", "1", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["pictures"], answer["persons"], answer["synthetic"]) == (8, 2, True)
    assert answer["grades"] == {symptom.key: [2, 2, 2, 2] for symptom in SYMPTOMS}
    assert sum(answer["parts"].values()) == len(read_aihub(tmp_path / "set").records) == 8
    assert answer["files"] == len(files(tmp_path / "set")) - 1


def test_synthesise_tells_people_and_writes_zips(tmp_path: Path) -> None:
    done = synthesise(tmp_path / "set", "--pictures", "2", "--seed", "3", "--zip")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 synthetic pictures of 1 fictional persons")
    assert SYNTHETIC_MARKER in done.stdout
    assert len(read_aihub(tmp_path / "set").records) == 2
    again = synthesise(tmp_path / "set", "--pictures", "2")
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)


def test_wrong_numbers_end_with_two(tmp_path: Path) -> None:
    for arguments in (
        ("--pictures", "0"),
        ("--pictures", "3", "--persons", "4"),
        ("--pictures", "3", "--seed", "-1"),
        ("--pictures", "3", "--workers", "0"),
        (),
    ):
        done = synthesise(tmp_path / "set", *arguments)
        assert done.returncode == 2, arguments
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "set").exists()
