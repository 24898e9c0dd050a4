"""Pictures that are labeled for some symptoms only: read, counted, split, trained without, and evaluated."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ml.bundle import Bundle
from ml.cli import main
from ml.data.aihub import read_aihub
from ml.data.faults import Fault
from ml.data.inspection import inspect_data
from ml.data.label_table import read_label_table
from ml.data.splits import grade_deviation, split_by_person
from ml.errors import DataSetInvalid
from ml.evaluation.answers import UNLABELED, Answers, Raw
from ml.evaluation.calibration import calibrate
from ml.evaluation.card import model_card
from ml.evaluation.report import evaluate
from ml.evaluation.results import Evaluation, Sample
from ml.labels import SYMPTOMS
from ml.training.session import read_parts
from tests.support.aihub import flat, jpeg, label, pictures, stem, write_folders

KEYS = [symptom.key for symptom in SYMPTOMS]
SAMPLE = Sample("scalps", "0" * 64, synthetic=False)


def write_partial(root: Path) -> Path:
    """Person 0 has all grades; 1 to 4 lack some, as a missing value, null or blank, or in two labels."""
    filed, other = (f"Training/{flat('라벨', symptom, 1)}" for symptom in (0, 4))
    images = f"Training/{flat('원천', 0, 1)}"
    files = pictures({stem(0): "100020"})
    files |= {f"{images}/{stem(person)}.jpg": jpeg() for person in range(1, 6)}
    files |= {
        f"{filed}/{stem(1)}.json": label(stem(1), "10002"),
        f"{filed}/{stem(2)}.json": label(stem(2), "100000", value_2=None),
        f"{filed}/{stem(3)}.json": label(stem(3), ["1", "", "", "", "", ""]),
        f"{filed}/{stem(4)}.json": label(stem(4), ["1", "", "", "", "", ""]),
        f"{other}/{stem(4)}.json": label(stem(4), ["", "", "", "", "3", ""]),
        f"{filed}/{stem(5)}.json": label(stem(5), [""] * 6),
    }
    return write_folders(root, files)


def test_labels_that_lack_grades_count_for_the_others(tmp_path: Path) -> None:
    data = read_aihub(write_partial(tmp_path), partial_labels=True)
    none = None
    assert [record.grades for record in data.records] == [
        (1, 0, 0, 0, 2, 0),
        (1, 0, 0, 0, 2, none),
        (1, none, 0, 0, 0, 0),
        (1, none, none, none, none, none),
        (1, none, none, none, 3, none),
    ]
    assert [record.fully_labeled for record in data.records] == [True, False, False, False, False]
    assert data.faults.counts == {Fault.GRADE_MISSING: 1, Fault.NO_LABEL: 1}


def test_partial_labels_that_contradict_each_other_are_a_fault(tmp_path: Path) -> None:
    root = write_partial(tmp_path)
    path = root / f"Training/{flat('라벨', 4, 1)}/{stem(4)}.json"
    path.write_bytes(label(stem(4), ["2", "", "", "", "3", ""]))
    data = read_aihub(root, partial_labels=True)
    assert stem(4) not in [record.id for record in data.records]
    assert data.faults.examples[Fault.CONFLICTING_LABELS] == [f"{stem(4)}: 1––––– and 2–––3–"]


def test_inspect_counts_what_is_not_labeled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write_partial(tmp_path)
    inspection = inspect_data(read_aihub(root, partial_labels=True))
    assert (inspection.pictures, inspection.partly_labeled) == (5, 4)
    assert [counts.unlabeled for counts in inspection.symptoms] == [0, 3, 2, 2, 1, 3]
    assert inspection.symptoms[4].grades == (1, 0, 2, 1)
    assert inspection.symptoms[4].shares == (0.25, 0, 0.5, 0.25)
    assert main(["data", "inspect", str(root)]) == 0
    out = capsys.readouterr().out
    assert "4 of them are labeled for only some symptoms" in out
    assert "3 not labeled" in out


def test_a_split_spreads_the_grades_that_are_known(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    files = {}
    for person in range(40):
        grades = [
            str(grade) if known else "" for grade, known in zip(rng.integers(0, 4, 6), rng.random(6) < 0.6, strict=True)
        ]
        files[f"Training/{flat('원천', 0, 1)}/{stem(person)}.jpg"] = jpeg()
        files[f"Training/{flat('라벨', 0, 1)}/{stem(person)}.json"] = label(stem(person), ["2", *grades[1:]])
    records = read_aihub(write_folders(tmp_path, files), partial_labels=True).records
    parts = split_by_person(records, {"training": 0.5, "test": 0.5}).divide(records)
    assert min(map(len, parts.values())) >= 16
    assert grade_deviation(parts) < 0.15


def test_training_takes_partly_labeled_pictures_and_validates_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = pictures({stem(person): f"{person % 4}00000" for person in range(10, 30)})
    write_folders(tmp_path / "some", files)
    write_partial(tmp_path / "some")
    parts = read_parts(tmp_path / "some", None, 0)
    assert all(record.fully_labeled for record in parts["validation"])
    partly = sum(not record.fully_labeled for record in parts["training"])
    assert partly + caplog.text.count("measure nothing") >= 3
    assert sum(map(len, parts.values())) - partly == 21


def test_training_refuses_a_set_without_full_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DataSetInvalid, match="validation needs pictures with all six grades"):
        read_parts(write_partial(tmp_path / "data"), None, 0)


def test_a_table_labels_the_pictures_of_a_folder(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (tmp_path / name).write_bytes(jpeg())
    table = tmp_path / "labels.csv"
    table.write_text("file,person,value_2,dandruff\nb.jpg,p1,,3\na.jpg,,1,0\nc.jpg,p1,,\n", encoding="utf-8-sig")
    first, second = read_label_table(table, tmp_path)
    assert (first.id, first.person, first.grades) == ("a.jpg", "a.jpg", (None, 1, None, None, 0, None))
    assert (second.id, second.person, second.grades) == ("b.jpg", "p1", (None, None, None, None, 3, None))
    assert first.read() == jpeg()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("picture,dandruff\na.jpg,1\n", "no column file"),
        ("file,oil\na.jpg,1\n", "no column for a symptom"),
        ("file,dandruff\na.jpg,4\n", "line 2: '4' is not a grade"),
        ("file,dandruff\nmissing.jpg,1\n", "line 2: there is no picture 'missing.jpg'"),
        ("file,dandruff\na.jpg,1\na.jpg,2\n", "line 3: a.jpg occurs twice"),
        ("file,dandruff\na.jpg,\n", "labels no picture"),
        ("file,dandruff\na.jpg\n", "labels no picture"),
    ],
)
def test_a_table_that_cannot_be_used_says_where(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg())
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(DataSetInvalid, match=says):
        read_label_table(tmp_path / "labels.csv", tmp_path)


def partly_labeled(known: np.ndarray) -> tuple[Answers, np.ndarray]:
    """Answers to 60 pictures of twelve persons of which the grades are `known` `[60, 6]`, and all true grades."""
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 4, (60, 6))
    answered = np.where(rng.random(truth.shape) < 0.3, rng.integers(0, 4, truth.shape), truth)
    probabilities = np.full((60, 6, 4), 0.1)
    np.put_along_axis(probabilities, answered[..., None], 0.7, axis=2)
    unknown = (None,) * 60
    answers = Answers(
        symptoms=tuple(KEYS),
        raw=tuple(Raw(np.log(probabilities[None, :, column]), "softmax") for column in range(6)),
        grades=np.where(known, truth, UNLABELED),
        ids=tuple(f"{number:02}" for number in range(60)),
        persons=tuple(f"{number % 12:02}" for number in range(60)),
        sexes=("남", "여") * 30,
        ages=unknown,
        devices=unknown,
    )
    return answers, truth


def measured(answers: Answers) -> Evaluation:
    return evaluate(answers, subject="run trial", sample=SAMPLE, temperatures={}, thresholds={})


def taken(answers: Answers, chosen: np.ndarray) -> Answers:
    """The same answers to some of the pictures alone."""
    rows = np.flatnonzero(chosen)
    raw = tuple(Raw(each.values[:, rows], each.output) for each in answers.raw)
    known = {
        name: tuple(getattr(answers, name)[row] for row in rows)
        for name in ("ids", "persons", "sexes", "ages", "devices")
    }
    return Answers(symptoms=answers.symptoms, raw=raw, grades=answers.grades[rows], **known)


def test_each_symptom_is_measured_on_the_pictures_labeled_for_it() -> None:
    known = np.ones((60, 6), dtype=bool)
    known[:40, 1] = known[10:, 4] = False
    answers, _ = partly_labeled(known)
    evaluation = measured(answers)
    assert [symptom.pictures for symptom in evaluation.symptoms] == [60, 20, 60, 60, 10, 60]
    assert (evaluation.pictures, evaluation.partly_labeled, evaluation.not_labeled) == (60, True, ())
    for column, key in ((1, "excess_sebum"), (4, "dandruff")):
        alone = measured(taken(answers, known[:, column]).select([key])).symptoms[0]
        found = evaluation.symptoms[column]
        assert (found.qwk.value, found.ece, found.aurc) == (alone.qwk.value, alone.ece, alone.aurc)
        assert (found.confusion == alone.confusion).all()
        assert found.accuracy.low < found.accuracy.value < found.accuracy.high
    men = evaluation.subgroups["sex"][0]
    chosen = np.array([sex == "남" for sex in answers.sexes])
    assert men.qwk["dandruff"] == measured(taken(answers, chosen & known[:, 4]).select(["dandruff"])).mean.qwk.value


def test_a_symptom_that_nothing_is_labeled_for_is_named() -> None:
    known = np.ones((60, 6), dtype=bool)
    known[:, [0, 3]] = False
    evaluation = measured(partly_labeled(known)[0])
    assert evaluation.not_labeled == ("fine_scaling", "follicular_erythema_pustules")
    assert [symptom.key for symptom in evaluation.symptoms] == [KEYS[1], KEYS[2], KEYS[4], KEYS[5]]
    assert evaluation.type_rule is None
    document = json.loads(json.dumps(evaluation.as_json()))
    assert document["not_labeled"] == ["fine_scaling", "follicular_erythema_pustules"]
    card = model_card(evaluation, {})
    assert "| Fine scaling | not labeled |" in card
    assert "No picture is labeled for all six symptoms" in card


def test_the_type_rule_takes_fully_labeled_pictures_alone() -> None:
    known = np.ones((60, 6), dtype=bool)
    known[::3, 2] = False
    answers, _ = partly_labeled(known)
    rule = measured(answers).type_rule
    wanted = measured(taken(answers, known.all(axis=1))).type_rule
    assert rule is not None
    assert wanted is not None
    assert rule.pictures == wanted.pictures == 40
    assert (rule.skin.value, rule.pred_qwk.value) == (wanted.skin.value, wanted.pred_qwk.value)
    assert "of the 40 pictures that are labeled for all six symptoms" in model_card(measured(answers), {})


def test_full_labels_are_not_called_partial() -> None:
    evaluation = measured(partly_labeled(np.ones((60, 6), dtype=bool))[0])
    assert not evaluation.partly_labeled
    assert "labeled" not in model_card(evaluation, {})


def test_one_labeled_person_gives_a_figure_without_an_interval() -> None:
    known = np.ones((60, 6), dtype=bool)
    known[:, 5] = np.arange(60) % 12 == 3
    found = measured(partly_labeled(known)[0]).symptoms[5]
    assert found.pictures == 5
    assert np.isnan(found.accuracy.low)
    assert 0 <= found.accuracy.value <= 1


def test_nothing_labeled_at_all_is_refused() -> None:
    answers, _ = partly_labeled(np.arange(6) == 4 + np.zeros((60, 1), dtype=int))
    with pytest.raises(DataSetInvalid, match="No picture is labeled for a symptom that run trial grades"):
        measured(answers.select(["hair_loss"]))


def test_calibration_is_fitted_on_labeled_pictures_alone() -> None:
    known = np.ones((60, 6), dtype=bool)
    known[30:, 1] = known[:, 5] = False
    answers, _ = partly_labeled(known)
    fitted = calibrate(answers, "validation").symptoms
    assert list(fitted) == KEYS[:5]
    assert fitted[KEYS[1]] == calibrate(taken(answers, known[:, 1]), "validation").symptoms[KEYS[1]]


def test_a_bundle_is_evaluated_on_a_table_of_one_symptom(
    bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos, table, out = tmp_path / "photos", tmp_path / "labels.csv", tmp_path / "out"
    photos.mkdir()
    for number in range(6):
        (photos / f"{number}.jpg").write_bytes(jpeg(number))
    lines = [f"{number}.jpg,{number % 3},{number % 2 or ''}" for number in range(6)]
    table.write_text("file,dandruff,hair_loss\n" + "\n".join(lines) + "\n")
    command = ["evaluate", str(bundle.folder), str(photos), "--labels", str(table), "--out", str(out)]
    assert main(command) == 0
    text = capsys.readouterr().out
    assert "Not every picture is labeled for every symptom" in text
    rows = {line[:32].strip(): line[32:].split() for line in text.splitlines()}
    assert (rows["Dandruff"][0], rows["Hair loss"][0]) == ("6", "3")
    assert rows["Fine scaling"] == ["not", "labeled"]
    document = json.loads((out / "evaluation.json").read_text())
    assert [symptom["key"] for symptom in document["symptoms"]] == ["dandruff", "hair_loss"]
    assert document["type_rule"] is None
    assert main([*command, "--split", str(tmp_path / "split.json")]) == 2
    assert "cannot be combined" in capsys.readouterr().err
