"""`python -m ml` as a program: what it prints and the code it ends with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from ml.bundle import Bundle
from ml.data.synthetic import scalp_picture
from ml.gate import extra_tensors
from ml.labels import SYMPTOMS
from ml.networks.flops import gflop
from ml.training.recipe import recipe_names
from tests.support.environment import ROOT
from tests.support.ml_bundles import alter_model, alter_tensors


def ml(*arguments: str | Path, bundle: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({"SCALP_BUNDLE": str(bundle)} if bundle else {})}
    command = [sys.executable, "-m", "ml", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_predict_grades_what_it_can_read_and_fails_for_the_rest(bundle: Bundle, tmp_path: Path) -> None:
    photo, text = tmp_path / "photo.jpg", tmp_path / "text.jpg"
    scalp_picture(3).save(photo)
    text.write_text("no picture")
    done = ml("predict", photo, text, "--device", "cpu", "--json", bundle=bundle.folder)
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert (answer["bundle"], answer["demo"], answer["device"]) == ("demo@1.0.0", True, "cpu")
    graded, failed = answer["photos"]
    assert graded["photo"] == str(photo)
    assert len(graded["findings"]) == 6
    assert graded["findings"][0].keys() == {
        "symptom", "grade", "probabilities", "confidence", "abstains", "abstention",
    }  # fmt: skip
    assert graded["skin"]
    assert "cannot be read" in failed["error"]
    assert "7 models resident" in done.stderr


def test_predict_speaks_to_people_and_names_a_demo(bundle: Bundle, tmp_path: Path) -> None:
    photo, dark = tmp_path / "photo.png", tmp_path / "dark.png"
    scalp_picture(3).save(photo)
    Image.new("RGB", (64, 64)).save(dark)
    done = ml("predict", photo, dark, "--bundle", bundle.folder, "--device", "cpu", "--maps", tmp_path / "maps")
    assert done.returncode == 0, done.stderr
    drawn = {path.name: Image.open(path).size for path in (tmp_path / "maps").iterdir()}
    assert drawn == {f"photo-{symptom.key}.png": Image.open(photo).size for symptom in SYMPTOMS}
    assert "Redness between follicles" in done.stdout
    assert f"{dark}: rejected, this is too dark\n" in done.stdout
    assert "is a demo. Trained on: Nothing." in done.stdout


def test_what_is_not_rated_is_said_by_predict_and_info(bundle_copy: Path, tmp_path: Path) -> None:
    random = torch.Generator().manual_seed(5)
    tensors = {name: torch.randn(shape, generator=random) for name, shape in extra_tensors(1280).items()}
    alter_tensors(bundle_copy, "scalp_gate", tensors)
    alter_model(bundle_copy, "fine_scaling", rated=False)
    alter_model(bundle_copy, "dandruff", reach=1e-6)
    alter_model(bundle_copy, "hair_loss", threshold=1.01)
    told = ml("bundle", "info", bundle_copy).stdout.splitlines()
    assert [line.split()[0] for line in told if ", not rated," in line] == ["fine_scaling"]
    assert [line.split()[0] for line in told if ", reach 1e-06," in line] == ["dandruff"]
    models = json.loads(ml("bundle", "info", bundle_copy, "--json").stdout)["models"]
    assert [(model["rated"], model.get("reach")) for model in models] == [
        (False, None), (True, None), (True, None), (True, None), (True, 1e-6), (True, None), (True, None),
    ]  # fmt: skip
    scalp_picture(3).save(tmp_path / "photo.png")
    done = ml("predict", tmp_path / "photo.png", "--bundle", bundle_copy, "--device", "cpu")
    lines = {line.split("  ")[1]: line.split()[-1] for line in done.stdout.splitlines() if line.startswith("  ")}
    assert (lines["Fine scaling"], lines["Dandruff"], lines["Hair loss"]) == ("unproven", "unfamiliar", "unsure")


def test_a_reader_that_has_seen_enough_is_no_error_of_ours(bundle: Bundle) -> None:
    # `true` reads nothing, so by the time something is written the pipe is broken.
    command = f"{sys.executable} -m ml bundle info {bundle.folder} | true"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_a_built_bundle_verifies_until_it_is_damaged(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    size = ("--architecture", "efficientnet-b0", "--image-size", "32")
    built = ml("bundle", "build", "--seeded", *size, "--seed", "7", "--gate-threshold", "1.01", "--out", folder)
    assert built.returncode == 0, built.stderr
    manifest = json.loads(ml("bundle", "info", folder, "--json").stdout)
    assert [model["base"] for model in manifest["models"]] == [f"seeded:efficientnet-b0:{n}" for n in range(7, 14)]
    assert [model["threshold"] for model in manifest["models"]] == [0.4] * 6 + [1.01]
    with (folder / "dandruff.safetensors").open("ab") as file:
        file.write(b"x")
    done = ml("bundle", "verify", folder, "--json")
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert not answer["valid"]
    assert "dandruff.safetensors" in answer["detail"]
    assert "Traceback" not in done.stderr


def test_info_states_what_an_ensemble_and_flips_cost(bundle_copy: Path) -> None:
    (bundle_copy / "dandruff-2.safetensors").write_bytes((bundle_copy / "dandruff.safetensors").read_bytes())
    sha256 = Bundle.open(bundle_copy).model("dandruff").sha256
    alter_model(bundle_copy, "dandruff", ensemble={"dandruff-2.safetensors": sha256}, flips="both")
    told = ml("bundle", "info", bundle_copy).stdout
    assert "14 forward passes" in told
    assert "8 passes (2 networks, flips both)" in told
    counted = json.loads(ml("bundle", "info", bundle_copy, "--json").stdout)
    assert [model["passes"] for model in counted["models"]] == [1, 1, 1, 1, 8, 1, 1]
    assert counted["passes"] == 14
    assert counted["gflop"] == pytest.approx(14 * counted["models"][0]["gflop"], rel=0.01)


def test_gflop_are_those_of_the_paper() -> None:
    # Table 2 of Tan and Le, arXiv 1905.11946, counts a multiplication and its addition as one: .39 billion for B0.
    assert gflop("efficientnet-b0", 224) == pytest.approx(2 * 0.39, rel=0.03)


def test_import_refuses_a_pickle_with_a_sentence(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "model.pt")
    keys = ("fine_scaling", "excess_sebum", "interfollicular_erythema", "follicular_erythema_pustules", "dandruff")
    files = [part for key in (*keys, "hair_loss") for part in ("--key", f"{key}={tmp_path / 'model.pt'}")]
    done = ml("bundle", "import", *files, "--gate-passes-all", "--out", tmp_path / "bundle")
    assert done.returncode == 1
    assert "--allow-pickle" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "bundle").exists()


def test_wrong_usage_ends_with_two(tmp_path: Path) -> None:
    size = ("--image-size", "64", "--seed", "1", "--out", tmp_path / "bundle")
    for arguments in (
        ("predict",),
        ("predict", "a/photo.jpg", "b/photo.png", "--maps", tmp_path / "maps"),
        ("bundle", "build", "--seeded", "--architecture", "resnet50", *size),
        ("bundle", "import", "--key", "dandruf=x.pt", "--out", tmp_path / "bundle"),
    ):
        done = ml(*arguments)
        assert done.returncode == 2, arguments
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "bundle").exists()


def test_recipes_are_named_without_any_data() -> None:
    for command in ("train", "compare"):
        done = ml(command, "--list-recipes")
        assert (done.returncode, done.stderr) == (0, "")
        assert [line.split()[0] for line in done.stdout.splitlines()] == list(recipe_names())


def test_a_typo_in_a_later_recipe_is_said_before_the_first_is_trained(tmp_path: Path) -> None:
    assert ml("data", "synthesise", tmp_path / "data", "--pictures", "24", "--persons", "8").returncode == 0
    split = tmp_path / "split.json"
    fractions = ("--fractions", "0.5", "0.25", "0.25")
    assert ml("data", "split", tmp_path / "data", "--out", split, *fractions).returncode == 0
    recipes = ("--recipe", "b0-224=1", "--recipe", "b9-300")
    done = ml("compare", tmp_path / "data", "--split", split, *recipes, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "b9-300" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options", [("--pictures", "-3"), ("--pictures", "0"), ("--workers", "-1"), ("--seed", "-1"), ("--epochs", "many")]
)
def test_numbers_that_make_no_sense_are_wrong_usage(options: tuple[str, str], tmp_path: Path) -> None:
    done = ml("train", tmp_path, "--recipe", "b0-224", "--out", tmp_path / "run", *options)
    assert done.returncode == 2
    assert f"argument {options[0]}: {options[1]!r} is not a whole number" in done.stderr


def test_a_command_that_needs_the_training_role_says_so(tmp_path: Path) -> None:
    without = "import sys; sys.modules['tqdm'] = None; from ml.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", without, "evaluate", str(tmp_path), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "This command needs the package tqdm. "
        "It comes with the training role: pip install -r requirements/training.txt\n"
    )
