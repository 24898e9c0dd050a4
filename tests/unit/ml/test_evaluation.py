"""Evaluating a bundle: that its figures are the service's, and what the report, the card and the plots say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ml.bundle import Bundle
from ml.bundle.bases import SeededBase
from ml.cli import main
from ml.data.aihub import read_aihub
from ml.data.files import SYNTHETIC_MARKER
from ml.data.records import Record
from ml.data.splits import Split, digest, split_by_person
from ml.errors import DataSetInvalid
from ml.evaluation.answers import Answers, Raw
from ml.evaluation.calibration import Calibration, fit_temperature
from ml.evaluation.card import model_card
from ml.evaluation.report import evaluate
from ml.evaluation.results import Evaluation, Sample
from ml.evaluation.subject import BundleSubject
from ml.labels import SYMPTOMS, scalp_type
from ml.outputs import outputs_for
from ml.predictor import Predictor
from ml.training.recipe import Recipe
from ml.training.run import Run, RunFacts, write_facts, write_weights
from tests.support.aihub import jpeg, pictures, stem, write_folders
from tests.support.ml_bundles import alter_model, alter_tensors, rehash

KEYS = [symptom.key for symptom in SYMPTOMS]
SAMPLE = Sample("scalps", "0" * 64, synthetic=True)


@pytest.fixture(scope="module")
def scalps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pictures of each of five persons, each picture another one, with all grades."""
    names = {stem(person, shot): f"{person % 4}{shot}03{person % 2}1" for person in range(5) for shot in (2, 3)}
    files = pictures(names)
    for name in files:
        if name.endswith(".jpg"):
            files[name] = jpeg(seed=list(names).index(Path(name).stem))
    return write_folders(tmp_path_factory.mktemp("data") / "scalps", files)


def answers(grades: np.ndarray, answered: np.ndarray, keys: list[str] = KEYS, **known: Any) -> Answers:
    """Answers `[n, symptoms]` that are each 70 % sure, to pictures of a person each where nothing else is known."""
    n = len(grades)
    probabilities = np.full((n, len(keys), 4), 0.1)
    np.put_along_axis(probabilities, answered[..., None], 0.7, axis=2)
    raw = tuple(Raw(np.log(probabilities[None, :, column]), "softmax") for column in range(len(keys)))
    names = tuple(f"{number:04d}" for number in range(n))
    unknown = (None,) * n
    facts = {"persons": names, "sexes": unknown, "ages": unknown, "devices": unknown, **known}
    return Answers(tuple(keys), raw, grades, names, **facts)


def evaluated(given: Answers, sample: Sample = SAMPLE, **options: Any) -> Evaluation:
    settings = {"temperatures": {}, "thresholds": {}, "subject": "run trial", **options}
    return evaluate(given, sample=sample, **settings)


def some_answers() -> Answers:
    rng = np.random.default_rng(0)
    grades = rng.integers(0, 4, (80, 6))
    wrong = rng.random(grades.shape) < 0.3
    return answers(
        grades,
        np.where(wrong, rng.integers(0, 4, grades.shape), grades),
        persons=tuple(f"{number:04d}" for number in rng.integers(0, 12, 80)),
        sexes=("남", "여") * 40,
        ages=("40대", "80대 이상", None, "10대") * 20,
        devices=(None,) * 60 + ("A2LEBJJDE00060O",) * 20,
    )


def test_a_bundle_is_evaluated_with_the_probabilities_of_the_service(bundle_copy: Path, scalps: Path) -> None:
    """One grader also processes flipped views, one has CORN outputs, one is an ensemble; all have a temperature."""
    flipped, corn, ensemble = KEYS[:3]
    for key in KEYS:
        alter_model(bundle_copy, key, temperature=1.7)
    alter_model(bundle_copy, flipped, flips="both")
    alter_model(bundle_copy, corn, output="corn")
    generator = torch.Generator().manual_seed(0)
    head = {"_fc.weight": torch.randn(3, 1280, generator=generator) / 10, "_fc.bias": torch.zeros(3)}
    alter_tensors(bundle_copy, corn, head)
    manifest = json.loads((bundle_copy / "bundle.json").read_text())
    models = {model["key"]: model for model in manifest["models"]}
    shutil.copy(bundle_copy / models[flipped]["file"], bundle_copy / "second.safetensors")
    alter_model(bundle_copy, ensemble, ensemble={"second.safetensors": models[flipped]["sha256"]})
    rehash(bundle_copy, ensemble)

    records = read_aihub(scalps).records
    subject = BundleSubject(Bundle.open(bundle_copy), "cpu")
    given = subject.answers(records, "all")
    assert [len(raw.values) for raw in given.raw] == [4, 1, 2, 1, 1, 1]
    predictor = Predictor(Bundle.open(bundle_copy), "cpu")
    predictions = predictor.predict([predictor.prepare(record.read()) for record in records])
    wanted = np.array([[finding.probabilities for finding in each.findings] for each in predictions if each])
    assert wanted.std(axis=0).min() > 1e-4, "The pictures have to make a difference."
    assert np.abs(given.probabilities(subject.temperatures) - wanted).max() < 1e-5
    assert given.grades.tolist() == [list(record.grades) for record in records]


def test_predictor_and_evaluation_apply_the_same_levels(bundle_copy: Path, scalps: Path) -> None:
    given_levels = {"slope": 0.7, "cutpoints": [-0.5, 0.1, 0.9]}
    alter_model(bundle_copy, "dandruff", temperature=1.7, flips="horizontal", levels=given_levels)
    bundle = Bundle.open(bundle_copy)
    records = read_aihub(scalps).records[:6]
    predictor = Predictor(bundle, "cpu")
    predictions = predictor.predict([predictor.prepare(record.read()) for record in records])
    served = np.array([[finding.probabilities for finding in each.findings] for each in predictions if each])
    subject = BundleSubject(bundle, "cpu")
    answers = subject.answers(records, "all")
    assert list(subject.levels) == ["dandruff"]
    assert np.abs(answers.probabilities(subject.temperatures, subject.levels) - served).max() < 1e-5
    column = KEYS.index("dandruff")
    plain = torch.from_numpy(answers.probabilities(subject.temperatures)[:, column])
    assert subject.levels["dandruff"].apply(plain).numpy() == pytest.approx(served[:, column], abs=1e-5)
    assert np.abs(plain.numpy() - served[:, column]).max() > 0.05, "The levels have to make a difference."


def test_a_picture_that_is_gone_is_named(bundle: Bundle, scalps: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(scalps, tmp_path / "scalps")
    records = read_aihub(copy).records
    Path(records[3].picture.path).unlink()
    with pytest.raises(DataSetInvalid, match=records[3].id):
        BundleSubject(bundle, "cpu").answers(records, "all")


def test_the_report_has_the_figures_of_each_symptom_and_their_means() -> None:
    grades = np.tile([[0], [1], [2], [3]], (5, 6))
    answered = grades.copy()
    answered[:10, 2] = 0
    report = evaluated(answers(grades, answered))
    assert [symptom.accuracy.value for symptom in report.symptoms] == [1, 1, 0.65, 1, 1, 1]
    redness = report.symptoms[2]
    assert redness.confusion.tolist() == [[5, 0, 0, 0], [3, 2, 0, 0], [2, 0, 3, 0], [2, 0, 0, 3]]
    assert redness.recalls == (1, 0.4, 0.6, 0.6)
    assert redness.within_one.value == pytest.approx(16 / 20)
    assert redness.majority == 0.25
    assert redness.ece_before == pytest.approx(0.05)
    assert redness.accuracy.low < 0.65 < redness.accuracy.high
    assert report.mean.accuracy.value == pytest.approx(5.65 / 6)
    assert report.mean.qwk.value == pytest.approx((5 + redness.qwk.value) / 6)
    assert report.mean.accuracy.high - report.mean.accuracy.low < redness.accuracy.high - redness.accuracy.low


def test_temperature_and_threshold_decide_what_abstains() -> None:
    grades = np.zeros((10, 6), dtype=np.int64)
    given = answers(grades, grades)
    report = evaluated(given, temperatures={"dandruff": 3.0}, thresholds=dict.fromkeys(KEYS, 0.6))
    abstentions = {symptom.key: symptom.abstention for symptom in report.symptoms}
    assert abstentions["dandruff"].coverage == 0
    assert abstentions["hair_loss"].coverage == 1
    assert report.mean.coverage == pytest.approx(5 / 6)
    dandruff = report.symptoms[KEYS.index("dandruff")]
    # 70 % to 10 % at temperature 3: 7^(1/3) to 1, three times.
    confidence = 7 ** (1 / 3) / (7 ** (1 / 3) + 3)
    assert (dandruff.ece_before, dandruff.ece) == pytest.approx((0.3, 1 - confidence))


def test_the_type_rule_is_held_against_itself_on_the_labels() -> None:
    given = some_answers()
    answered = given.probabilities({}).argmax(axis=2)
    pairs = [
        (scalp_type(truth), scalp_type(answer))
        for truth, answer in zip(given.grades.tolist(), answered.tolist(), strict=True)
    ]
    rule = evaluated(given).type_rule
    assert rule is not None
    assert rule.skin.value == pytest.approx(np.mean([truth[0] == answer[0] for truth, answer in pairs]))
    assert rule.pred.value == pytest.approx(np.mean([truth[1] == answer[1] for truth, answer in pairs]))
    assert rule.skin_confusion.sum() == len(pairs)


def test_groups_are_measured_where_they_are_known() -> None:
    given = some_answers()
    report = evaluated(given)
    assert [group.name for group in report.subgroups["age"]] == ["10대", "40대", "80대 이상"]
    (device,) = report.subgroups["device"]
    assert device.pictures == 20
    right = given.probabilities({}).argmax(axis=2) == given.grades
    assert device.accuracy["dandruff"] == pytest.approx(right[60:, KEYS.index("dandruff")].mean())
    assert device.mean_accuracy == pytest.approx(right[60:].mean())
    women = report.subgroups["sex"][1]
    assert women.accuracy["hair_loss"] == pytest.approx(right[1::2, KEYS.index("hair_loss")].mean())
    assert evaluated(answers(given.grades, given.grades)).subgroups == {}


def test_one_symptom_alone_is_reported_without_a_type() -> None:
    grades = np.array([[0], [1], [2], [3]])
    report = evaluated(answers(grades, grades, keys=["dandruff"]))
    assert report.type_rule is None
    assert report.mean.qwk.value == 1
    assert "there is no scalp type" in model_card(report, {})


def test_the_json_has_null_for_what_is_undefined_and_no_other_oddity() -> None:
    grades = np.zeros((4, 6), dtype=np.int64)
    document = json.loads(json.dumps(evaluated(answers(grades, grades)).as_json(), allow_nan=False))
    first = document["symptoms"][0]
    assert first["qwk"]["value"] is None
    assert first["recalls"] == [1, None, None, None]
    assert first["abstention"]["abstained_accuracy"] is None
    assert document["sample"]["synthetic"] is True


def test_the_card_says_if_pictures_are_synthetic_and_what_was_fitted() -> None:
    given = some_answers()
    drawn = model_card(evaluated(given, facts={"Recipe": "b0-224"}), {"Reliability": "figures/reliability.png"})
    assert "All figures here were measured on synthetic pictures" in drawn
    assert "does not diagnose" in drawn
    assert "- Recipe: b0-224" in drawn
    assert "![Reliability](figures/reliability.png)" in drawn
    assert "| male | 40 |" in drawn
    assert "| 80 and over | 20 |" in drawn
    assert "those of the model" in drawn
    assert "only 12 persons" in drawn
    sample = Sample("scalps", "0" * 64, synthetic=False, split="split.json", part="test")
    photographed = model_card(evaluated(given, sample, calibrated_on="the 9 pictures of validation"), {})
    assert "synthetic" not in photographed
    assert "the part *test* of the split `split.json`" in photographed
    assert "were fitted on the 9 pictures of validation" in photographed


def test_the_figures_of_the_card_are_those_of_the_report() -> None:
    report = evaluated(some_answers())
    card = model_card(report, {})
    for symptom, label in zip(report.symptoms, SYMPTOMS, strict=True):
        qwk = symptom.qwk
        assert f"{qwk.value:.2f} [{qwk.low:.2f}, {qwk.high:.2f}]" in card
        recalls = " | ".join(f"{recall:.2f}" for recall in symptom.recalls)
        assert f"| {label.english} | {recalls} |" in card


def marked(scalps: Path, folder: Path) -> Path:
    """A copy of the data set that says that it is synthetic."""
    shutil.copytree(scalps, folder)
    (folder / SYNTHETIC_MARKER).write_text("Drawn.")
    return folder


def test_evaluating_a_bundle_adds_a_card_and_plots_and_it_still_verifies(
    bundle_copy: Path, scalps: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    data = marked(scalps, tmp_path / "scalps")
    assert main(["evaluate", str(bundle_copy), str(data), "--out", str(out), "--card", "--device", "cpu"]) == 0
    text = capsys.readouterr().out
    assert "10 synthetic pictures of fictional persons (5), the whole data set as one part" in text
    assert "nothing was fitted" in text
    document = json.loads((out / "evaluation.json").read_text())
    for symptom, label in zip(document["symptoms"], SYMPTOMS, strict=True):
        line = next(line for line in text.splitlines() if line.startswith(label.english))
        assert f"{symptom['accuracy']['value']:.3f}" in line
    assert not (out / "calibration.json").exists()
    card = (bundle_copy / "model-card.md").read_text()
    assert card == (out / "model-card.md").read_text()
    links = [line.partition("](")[2].rstrip(")") for line in card.splitlines() if line.startswith("![")]
    assert len(links) == 3
    for link in links:
        assert (bundle_copy / link).stat().st_size < 150_000
        with Image.open(bundle_copy / link) as plot:
            assert min(plot.size) > 400
            assert len(plot.convert("RGB").getcolors(1 << 24)) > 20
    Bundle.open(bundle_copy)


def test_a_bundle_is_fitted_when_asked_on_another_part(
    bundle: Bundle, scalps: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    split = split_by_person(read_aihub(scalps).records, {"training": 0.2, "validation": 0.4, "test": 0.4})
    split.save(tmp_path / "split.json")
    out = tmp_path / "out"
    command = ["evaluate", str(bundle.folder), str(scalps), "--out", str(out), "--device", "cpu", "--json"]
    assert main([*command, "--split", str(tmp_path / "split.json"), "--calibrate-on", "validation"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == json.loads((out / "evaluation.json").read_text())
    assert document["pictures"] == 4
    assert document["sample"] | {"digest": ""} == {
        "data": "scalps", "digest": "", "synthetic": False, "split": "split.json", "part": "test", "seen": False
    }  # fmt: skip
    calibration = Calibration.load(out / "calibration.json")
    assert (calibration.part, calibration.pictures) == ("validation", 4)
    for symptom in document["symptoms"]:
        assert symptom["temperature"] == pytest.approx(calibration.temperatures[symptom["key"]], abs=1e-5)
        assert symptom["abstention"]["threshold"] == pytest.approx(calibration.thresholds[symptom["key"]], abs=1e-5)


def write_run(folder: Path, symptoms: tuple[str, ...], digest: str, seed: int = 0, loss: str = "corn") -> Run:
    """A run as training leaves it, of a network with random weights."""
    recipe = Recipe(
        name="small",
        description="A small one.",
        architecture="efficientnet-b0",
        image_size=32,
        augmentation="deck",
        loss=loss,
        learning_rate=0.001,
        epochs=1,
        batch=8,
    )
    generator = torch.Generator().manual_seed(seed)
    rows = outputs_for(4, recipe.output) * len(symptoms)
    head = {"_fc.weight": torch.randn(rows, 1280, generator=generator), "_fc.bias": torch.zeros(rows)}
    folder.mkdir(parents=True)
    write_weights(folder, {**SeededBase("efficientnet-b0", seed).weights(), **head})
    facts = RunFacts(
        recipe=recipe,
        symptoms=symptoms,
        seed=seed,
        started_from=f"seed {seed}, untrained",
        pictures={"training": 9, "validation": 1},
        identity=digest,
        digest=digest,
        synthetic=True,
        device="cpu",
        memory_plan="one micro-batch",
        best_epoch=0,
        seconds=1.0,
        images_a_second=9.0,
        history=[],
    )
    return write_facts(folder, facts)


def test_a_run_is_fitted_on_validation_and_leaves_its_calibration(
    scalps: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = read_aihub(scalps).records
    run = write_run(tmp_path / "run", tuple(KEYS), digest([]))
    split_by_person(records, {"training": 0.2, "validation": 0.4, "test": 0.4}).save(tmp_path / "split.json")
    command = ["evaluate", str(run.folder), str(scalps), "--split", str(tmp_path / "split.json"), "--device", "cpu"]
    assert main([*command, "--part", "validation"]) == 2
    assert "cannot be used both to measure and to calibrate" in capsys.readouterr().err
    assert main(command) == 0
    assert "the 4 pictures of the part validation" in capsys.readouterr().out
    calibration = Calibration.load(run.folder / "evaluation" / "calibration.json")
    parts = Split.load(tmp_path / "split.json").divide(records)
    outputs = run.outputs(parts["validation"])
    grades = np.array([record.grades for record in parts["validation"]])
    for column, key in enumerate(KEYS):
        wanted = fit_temperature(Raw(outputs[None, :, column], "corn"), grades[:, column])
        assert calibration.temperatures[key] == pytest.approx(wanted, rel=1e-3)
    document = json.loads((run.folder / "evaluation" / "evaluation.json").read_text())
    answered = Raw(run.outputs(parts["test"])[None, :, 0], "corn").probabilities().argmax(axis=1)
    truth = np.array([record.grades[0] for record in parts["test"]])
    assert np.array(document["symptoms"][0]["confusion"]).sum() == 4
    assert document["symptoms"][0]["accuracy"]["value"] == (answered == truth).mean()
    assert document["facts"]["Network"] == "efficientnet-b0 at 32×32, heads for 6 symptoms"
    assert not document["sample"]["seen"]


def test_runs_of_one_symptom_each_are_evaluated_together(scalps: Path, tmp_path: Path) -> None:
    records = read_aihub(scalps).records
    for seed, key in enumerate(KEYS[:2]):
        write_run(tmp_path / "runs" / key, (key,), digest(records), seed, loss=("corn", "cross_entropy")[seed])
    assert main(["evaluate", str(tmp_path / "runs"), str(scalps), "--device", "cpu"]) == 0
    out = tmp_path / "runs" / "evaluation"
    document = json.loads((out / "evaluation.json").read_text())
    assert [symptom["key"] for symptom in document["symptoms"]] == KEYS[:2]
    assert document["sample"]["seen"], "The runs have learned from the pictures of this digest."
    assert "all figures here are too good" in (out / "model-card.md").read_text()
    assert not (out / "calibration.json").exists()


def test_wrong_wishes_are_told_before_anything_is_measured(
    bundle: Bundle, scalps: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subject, data, out = str(bundle.folder), str(scalps), ["--out", str(tmp_path / "out")]
    split = ["--split", str(tmp_path / "split.json")]
    for options, code, says in (
        ([subject, data], 2, "needs --out"),
        ([subject, data, *out, "--part", "test"], 2, "need --split"),
        ([subject, data, *out, *split, "--calibrate-on", "test"], 2, "cannot be used both to measure and to calibrate"),
        ([data, data, *out], 1, "neither run.json nor bundle.json"),
        ([subject, data, *out, *split], 1, "cannot be read"),
    ):
        assert main(["evaluate", *options]) == code
        assert says in capsys.readouterr().err
    records: list[Record] = list(read_aihub(scalps).records)
    split_by_person(records, {"training": 0.5, "test": 0.5}).save(tmp_path / "split.json")
    assert main(["evaluate", subject, data, *out, *split, "--part", "validation"]) == 1
    assert "no pictures for a part 'validation'; it has training, test" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
