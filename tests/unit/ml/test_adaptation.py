"""`bundle adapt` on seven small networks: what it writes, what it leaves alone and what it refuses."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from ml.adaptation.adapt import next_version
from ml.adaptation.mixture import require_one_scope
from ml.bundle import Bundle
from ml.cli import main
from ml.data.synthetic import scalp_picture
from ml.errors import AdaptationInvalid
from ml.labels import GATE, SYMPTOMS
from ml.predictor import Predictor
from tests.support.ml_bundles import alter_model, copy_bundle

KEYS = [symptom.key for symptom in SYMPTOMS]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four photographs, one of them twice under another name, and a text that says it is one."""
    folder = tmp_path_factory.mktemp("photographs")
    for number in range(24):
        scalp_picture(number).save(folder / f"{number}.png")
    shutil.copy(folder / "3.png", folder / "again.png")
    (folder / "text.jpg").write_text("no picture")
    return folder


@pytest.fixture(scope="module")
def parent(small_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small bundle with a card, thresholds and a temperature that stay or go."""
    folder = copy_bundle(Bundle.open(small_bundle), tmp_path_factory.mktemp("parent") / "bundle")
    alter_model(folder, "dandruff", temperature=1.5, flips="horizontal")
    (folder / "model-card.md").write_text("# Model card of the parent\n\nIts figures.\n")
    (folder / "figures").mkdir()
    (folder / "figures" / "plot.png").write_bytes(b"plot")
    return folder


@pytest.fixture(scope="module")
def adapted(parent: Path, photographs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("adapted") / "bundle"
    shares = out.parent / "shares.csv"
    shares.write_text("dandruff,0.4,0.3,0.2,0.1\n")
    before = contents(parent)
    assert (
        adapt(parent, photographs, out, "--shares", shares, "--reliability", "dandruff=0.8", "--scope", "a scope") == 0
    )
    assert contents(parent) == before
    return out


def adapt(*arguments: object) -> int:
    bundle, photographs, out, *others = arguments
    # One runtime for all, as seeded networks answer a little otherwise on another.
    cheap = ["--device", "cpu", "--runtime", "eager"]
    return main(["bundle", "adapt", str(bundle), str(photographs), "--out", str(out), *cheap, *map(str, others)])


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_an_adapted_bundle_verifies_and_names_its_parent(
    adapted: Path, parent: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bundle", "verify", str(adapted)]) == 0
    manifest = Bundle.open(adapted).manifest
    assert manifest.version == "1.0.0+adapted.1"
    sha256 = hashlib.sha256((parent / "bundle.json").read_bytes()).hexdigest()
    assert manifest.parent == f"demo@1.0.0 sha256:{sha256}"
    assert manifest.adapted is not None
    assert "a scope: 24 of 26 photographs (left out: 1 unreadable, 1 duplicates)" in manifest.adapted
    assert main(["bundle", "info", str(adapted)]) == 0
    assert f"Parent: {manifest.parent}" in capsys.readouterr().out


def test_the_weights_are_the_parent_s(adapted: Path, parent: Path) -> None:
    before, after = contents(parent), contents(adapted)
    weights = {name for name in before if name.endswith(".safetensors")}
    assert len(weights) == 7
    for name in weights:
        old, new = load_file(parent / name), load_file(adapted / name)
        assert old.keys() == new.keys()
        assert all(torch.equal(old[tensor], new[tensor]) for tensor in old)
    assert before["figures/plot.png"] == after["figures/plot.png"]


def test_the_photographs_get_the_expected_shares(adapted: Path, photographs: Path) -> None:
    predictor = Predictor(Bundle.open(adapted), "cpu", "eager")
    predictions = predictor.predict([predictor.prepare(photographs / f"{number}.png") for number in range(24)])
    given = np.array([[finding.probabilities for finding in each.findings] for each in predictions if each])
    means = given.mean(axis=0)
    assert means[KEYS.index("dandruff")] == pytest.approx([0.4, 0.3, 0.2, 0.1], abs=0.01)
    assert means[KEYS.index("fine_scaling")] == pytest.approx([0.828, 0.063, 0.077, 0.032], abs=0.01)


def test_going_back_to_the_parent_gives_its_answers_again(adapted: Path, parent: Path, photographs: Path) -> None:
    def answers(folder: Path) -> list[tuple[float, ...]]:
        predictor = Predictor(Bundle.open(folder), "cpu", "eager")
        (prediction,) = predictor.predict([predictor.prepare(photographs / "0.png")])
        assert prediction is not None
        return [finding.probabilities for finding in prediction.findings]

    before = answers(parent)
    assert answers(adapted) != before
    assert answers(parent) == before


def test_the_card_says_what_was_done_above_the_parent_s(adapted: Path) -> None:
    card = (adapted / "model-card.md").read_text(encoding="utf-8")
    assert card.startswith("# Model card of bundle demo@1.0.0+adapted.1\n\n## Adapted\n")
    for words in ("24 of 26 photographs", "in shares.csv", "0.40 0.30 0.20 0.10", "0.80", "Limits of the adaptation"):
        assert words in card.split("# Model card of the parent")[0]
    assert card.rstrip().endswith("Its figures.")


def test_an_adapted_bundle_is_adapted_again_from_the_same_scores(
    adapted: Path, photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--reliability", "0.6", "--reliability", "dandruff=0.8", "--json"]
    assert adapt(adapted, photographs, tmp_path / "again", *options) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["bundle"] == "demo@1.0.0+adapted.2"
    assert report["photographs"]["used"] == 24
    first, second = Bundle.open(adapted), Bundle.open(tmp_path / "again")
    assert second.model("hair_loss").levels == first.model("hair_loss").levels
    assert second.model("dandruff").levels != first.model("dandruff").levels, "It was fitted to other shares."
    before = next(each for each in report["graders"] if each["symptom"] == "dandruff")["mean_grade"]["before"]
    assert before == pytest.approx(1.0, abs=0.01)


def test_versions_count_adaptations() -> None:
    assert next_version("2.0.0") == "2.0.0+adapted.1"
    assert next_version("2.0.0+adapted.9") == "2.0.0+adapted.10"


def noise(seed: int, width: int = 160, height: int = 120) -> Image.Image:
    """A picture that is quickly made: bright, sharp, and good enough for a gate that lets everything pass."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def empty(folder: Path) -> None:
    folder.mkdir()


def no_pictures(folder: Path) -> None:
    folder.mkdir()
    (folder / "0.jpg").write_text("no picture")


def too_few(folder: Path) -> None:
    folder.mkdir()
    for number in range(19):
        noise(number).save(folder / f"{number}.png")


def one_picture_many_times(folder: Path) -> None:
    folder.mkdir()
    for number in range(30):
        noise(1).save(folder / f"{number}.png", compress_level=number % 9)


def thumbnails(folder: Path) -> None:
    folder.mkdir()
    for number in range(30):
        noise(number, 80, 60).save(folder / f"{number}.png")


def of_two_scopes(folder: Path) -> None:
    folder.mkdir()
    for number in range(24):
        noise(number, *((100, 100) if number % 3 else (160, 120))).save(folder / f"{number}.png")


def darkness(folder: Path) -> None:
    folder.mkdir()
    for number in range(30):
        Image.new("RGB", (100, 100), (number, 0, 0)).save(folder / f"{number}.png")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: None, "is not a folder"),
        (empty, "no pictures"),
        (no_pictures, "None of the 1 pictures"),
        (too_few, "19 of 19 photographs. At least 20"),
        (one_picture_many_times, "1 of 30 photographs (left out: 29 duplicates)"),
        (thumbnails, "30 of the 30 photographs"),
        (of_two_scopes, "from 2 scopes: 16 of 100×100 pixels, 8 of 160×120"),
        (darkness, "30 too dark, bright or blurred"),
    ],
)
def test_photographs_that_nothing_can_be_adapted_to_are_refused(
    make: Callable[[Path], None], says: str, parent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path / "photographs")
    assert adapt(parent, tmp_path / "photographs", tmp_path / "out") == 1
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_photographs_that_the_gate_refuses_are_counted_and_left_out(
    parent: Path, photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strict = copy_bundle(Bundle.open(parent), tmp_path / "strict")
    alter_model(strict, GATE.key, threshold=1.01)
    assert adapt(strict, photographs, tmp_path / "out") == 1
    assert "24 rejected by the gate" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_sizes_of_several_scopes_are_a_sign_and_single_strays_are_not() -> None:
    cropped = [(500 + number, 400 + number) for number in range(40)]
    for sizes in ([(640, 480)] * 46 + [(300, 300)] * 4, [(640, 480), (480, 640)] * 20, cropped):
        assert require_one_scope(sizes, allowed=False) is None
    mixed = [(640, 480)] * 45 + [(640, 640)] * 5
    with pytest.raises(AdaptationInvalid, match="5 of 640×640"):
        require_one_scope(mixed, allowed=False)
    assert "treated as from one scope" in str(require_one_scope(mixed, allowed=True))


def test_the_bundle_itself_is_never_written_over(
    parent: Path, photographs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(parent)
    for out in (parent, parent / "adapted"):
        assert adapt(parent, photographs, out) == 1
        assert "must not change" in capsys.readouterr().err
    assert contents(parent) == before


@pytest.mark.parametrize("wrong", ["0", "1", "much", "itching=0.5", "dandruff="])
def test_a_reliability_that_makes_no_sense_is_wrong_usage(wrong: str, parent: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as refused:
        adapt(parent, tmp_path, tmp_path / "out", "--reliability", wrong)
    assert refused.value.code == 2
