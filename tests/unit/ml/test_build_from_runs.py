"""Assembly: bundles out of runs and a gate answer as the runs do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from ml.build.from_runs import build_bundle, open_graders
from ml.bundle import Bundle
from ml.bundle.manifest import Provenance
from ml.cli import main
from ml.data.aihub import read_aihub
from ml.data.records import Record
from ml.errors import BundleInvalid
from ml.evaluation.calibration import CALIBRATION_FILE, Calibration, Fitted
from ml.evaluation.results import EVALUATION_FOLDER
from ml.evaluation.subject import BundleSubject
from ml.gate.distance import extra_tensors
from ml.gate.gate import Gate, gate_facts
from ml.labels import SYMPTOMS
from ml.outputs import to_probabilities
from ml.training.initial_weights import start_weights
from ml.training.recipe import Recipe
from ml.training.run import Run, RunFacts, write_facts, write_weights
from tests.support.aihub import pictures, stem, write_folders

KEYS = tuple(symptom.key for symptom in SYMPTOMS)
PROVENANCE = Provenance(name="small", version="1", licence="None.", trained_on="Chance.", demo=True)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    folder = write_folders(tmp_path_factory.mktemp("data") / "set", pictures({stem(n): "012301" for n in range(3)}))
    return list(read_aihub(folder).records)


@pytest.fixture(scope="module")
def gate() -> Gate:
    generator = torch.Generator().manual_seed(1)
    tensors = {"_fc.weight": torch.randn(3, 1280, generator=generator) / 50, "_fc.bias": torch.zeros(3)}
    tensors |= {name: torch.randn(shape, generator=generator) / 1000 for name, shape in extra_tensors(1280).items()}
    return Gate(gate_facts(64, 0.3, "chance", {"auroc_held_out": 0.5}), tensors)


def write_run(folder: Path, seed: int, symptoms: tuple[str, ...] = KEYS, **changes: object) -> Run:
    """A run as a training leaves it, of ImageNet's weights under a random last layer."""
    settings = {
        "name": "small", "description": "", "architecture": "efficientnet-lite0", "image_size": 64,
        "augmentation": "deck", "loss": "cross_entropy", "learning_rate": 0.1, "epochs": 1, "batch": 1, **changes,
    }  # fmt: skip
    recipe = Recipe.model_validate(settings)
    outputs = len(symptoms) * (3 if recipe.loss == "corn" else 4)
    weights, says = start_weights(recipe.architecture, outputs, seed)
    generator = torch.Generator().manual_seed(seed)
    head = {"_fc.weight": torch.randn(outputs, 1280, generator=generator) / 20}
    folder.mkdir(parents=True)
    write_weights(folder, {**weights, **head})
    facts = RunFacts(
        recipe=recipe, symptoms=symptoms, seed=seed, started_from=says, pictures={}, identity="", digest="",
        synthetic=True, device="cpu", memory_plan="", best_epoch=0, seconds=1, images_a_second=1, history=[],
    )  # fmt: skip
    return write_facts(folder, facts)


def calibrate(folder: Path, temperature: float, threshold: float) -> None:
    (folder / EVALUATION_FOLDER).mkdir()
    fitted = {key: Fitted(temperature=temperature, threshold=threshold) for key in KEYS}
    Calibration(part="validation", pictures=1, symptoms=fitted).save(folder / EVALUATION_FOLDER / CALIBRATION_FILE)


def probabilities(bundle: Bundle, records: list[Record]) -> np.ndarray:
    subject = BundleSubject(bundle, "cpu", "eager")
    return subject.answers(records, "").probabilities(subject.temperatures)


def of_run(run: Run, records: list[Record], temperature: float = 1.0) -> np.ndarray:
    return to_probabilities(torch.from_numpy(run.outputs(records)), run.output, temperature).numpy()


@pytest.mark.parametrize("loss", ["cross_entropy", "corn"])
def test_graders_of_one_run_share_its_trunk_and_answer_as_the_run_does(
    loss: str, tmp_path: Path, records: list[Record], gate: Gate
) -> None:
    run = write_run(tmp_path / "run", 3, loss=loss)
    calibrate(run.folder, 1.6, 0.45)
    bundle = build_bundle(tmp_path / "bundle", PROVENANCE, open_graders([run.folder]), gate)
    assert {model.base for model in bundle.manifest.models[:6]} == {"file:efficientnet-lite0:trunk-1.safetensors"}
    assert {(model.temperature, model.threshold) for model in bundle.manifest.models[:6]} == {(1.6, 0.45)}
    assert (bundle.model("scalp_gate").threshold, bundle.model("scalp_gate").classes) == (0.3, 3)
    assert bundle.model("scalp_gate").metrics == {"auroc_held_out": 0.5}
    # The trunk is stored in half precision.
    assert np.abs(probabilities(bundle, records) - of_run(run, records, 1.6)).max() < 0.01
    assert sum(path.stat().st_size for path in bundle.folder.iterdir()) < 16_000_000


def test_a_gate_of_two_classes_keeps_them_in_a_bundle(tmp_path: Path, gate: Gate) -> None:
    run = write_run(tmp_path / "run", 5)
    two = {**gate.tensors, "_fc.weight": gate.tensors["_fc.weight"][:2], "_fc.bias": gate.tensors["_fc.bias"][:2]}
    older = Gate(gate.facts.model_copy(update={"classes": 2}), two)
    bundle = build_bundle(tmp_path / "bundle", PROVENANCE, open_graders([run.folder]), older)
    assert bundle.model("scalp_gate").classes == 2


def test_a_run_that_grows_becomes_seven_b7_with_the_same_answers(
    tmp_path: Path, records: list[Record], gate: Gate
) -> None:
    run = write_run(tmp_path / "run", 4, grows_into="efficientnet-b7")
    bundle = build_bundle(tmp_path / "bundle", PROVENANCE, open_graders([run.folder]), gate)
    assert {model.architecture for model in bundle.manifest.models} == {"efficientnet-b7"}
    assert {model.base for model in bundle.manifest.models} == {
        "grown:efficientnet-b7:trunk-1.safetensors",
        "grown:efficientnet-b7:trunk-2.safetensors",
    }
    assert np.abs(probabilities(bundle, records) - of_run(run, records)).max() < 0.02


def test_runs_of_one_symptom_each_make_a_bundle_of_complete_networks(
    tmp_path: Path, records: list[Record], gate: Gate
) -> None:
    runs = [write_run(tmp_path / "runs" / key, n, (key,), heads="one") for n, key in enumerate(KEYS)]
    calibrate(tmp_path / "runs", 1.2, 0.4)
    bundle = build_bundle(tmp_path / "bundle", PROVENANCE, open_graders([tmp_path / "runs"]), gate)
    assert [model.base for model in bundle.manifest.models[:6]] == [None] * 6
    assert {model.threshold for model in bundle.manifest.models[:6]} == {0.4}
    answered = probabilities(bundle, records)
    for column, run in enumerate(runs):
        assert np.abs(answered[:, column] - of_run(run, records, 1.2)[:, 0]).max() < 1e-4


def test_two_runs_of_the_same_symptoms_make_an_ensemble(tmp_path: Path, records: list[Record], gate: Gate) -> None:
    runs = [write_run(tmp_path / name, seed) for name, seed in (("a", 5), ("b", 6))]
    calibrate(runs[0].folder, 1.0, 0.2)
    calibrate(runs[1].folder, 1.0, 0.4)
    bundle = build_bundle(tmp_path / "bundle", PROVENANCE, open_graders([run.folder for run in runs]), gate)
    assert [len(model.files) for model in bundle.manifest.models] == [2] * 6 + [1]
    assert bundle.manifest.models[0].threshold == pytest.approx(0.3)
    wanted = np.mean([of_run(run, records) for run in runs], axis=0)
    assert np.abs(probabilities(bundle, records) - wanted).max() < 1e-4


def test_an_ensemble_of_different_networks_is_refused(tmp_path: Path, gate: Gate) -> None:
    write_run(tmp_path / "a", 5)
    write_run(tmp_path / "b", 6, image_size=96)
    with pytest.raises(BundleInvalid, match="different networks"):
        build_bundle(tmp_path / "bundle", PROVENANCE, open_graders([tmp_path / "a", tmp_path / "b"]), gate)


def test_the_command_builds_a_bundle_and_says_what_lacks(
    tmp_path: Path, gate: Gate, capsys: pytest.CaptureFixture[str]
) -> None:
    gate.save(tmp_path / "gate")
    write_run(tmp_path / "part", 5, KEYS[:4])
    told = ["--licence", "None.", "--trained-on", "Chance.", "--name", "mine", "--gate", str(tmp_path / "gate")]

    def build(*runs: str, more: Sequence[str] = ()) -> int:
        folder = str(tmp_path / "bundle")
        named = [word for run in runs for word in ("--run", str(tmp_path / run))]
        return main(["bundle", "build", *named, *told, "--flips", "horizontal", "--out", folder, *more])

    assert build("part") == 1
    assert "no run for dandruff, hair_loss" in capsys.readouterr().err
    assert main(["bundle", "build", "--run", str(tmp_path / "part"), "--out", str(tmp_path / "bundle")]) == 2
    assert "--gate, --name, --licence, --trained-on" in capsys.readouterr().err
    write_run(tmp_path / "rest", 6, KEYS[4:])
    assert build("part", "rest", more=("--not-rated", "hair_loss", "--not-rated", "dandruff")) == 0
    manifest = json.loads((tmp_path / "bundle" / "bundle.json").read_text())
    assert {model["flips"] for model in manifest["models"][:6]} == {"horizontal"}
    assert [model["key"] for model in manifest["models"] if not model["rated"]] == ["dandruff", "hair_loss"]
    assert len(manifest["bases"]) == 3
    assert not manifest["demo"]
