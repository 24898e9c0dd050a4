"""Training as a program, on a small synthetic set: runs, resumption after a kill, comparison."""

from __future__ import annotations

import csv
import fcntl
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from ml.data.aihub import read_aihub
from ml.data.synthetic.cohort import plan_cohort
from ml.data.synthetic.dataset import write_dataset
from ml.errors import RecipeInvalid, RunInvalid, WeightsUnreadable
from ml.labels import SYMPTOMS
from ml.training.checkpoint import CHECKPOINT_FILE, Progress, load_checkpoint, save_checkpoint
from ml.training.comparison import compare
from ml.training.initial_weights import start_weights
from ml.training.recipe import load_recipe, recipe_names
from ml.training.run import RUN_FILE, WEIGHTS_FILE, Run
from ml.training.session import read_parts
from ml.training.trainer import LOCK_FILE, _identity, train
from tests.support.environment import ROOT

KEYS = [symptom.key for symptom in SYMPTOMS]

FORMER_IDENTITY = "34821165ff31119ea8c0a01c5673aadabf6561a914fdf307f2bbe249ca2a9705"

RECIPE = """
description = "Small enough for a test."
architecture = "efficientnet-lite0"
image_size = 64
frozen_blocks = 2
augmentation = "strong"
loss = "cross_entropy"
label_smoothing = 0.05
class_balance = true
learning_rate = 0.002
warmup_epochs = 0.5
epochs = 3
batch = 8
ema = 0.9
"""


@pytest.fixture(scope="module")
def scalps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("scalps") / "set"
    write_dataset(out, plan_cohort(60, seed=5, persons=12, balanced=True), workers=2)
    return out


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipes") / "small.toml"
    path.write_text(RECIPE)
    return path


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "ml", *map(str, arguments)]


def ml(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def trained(scalps: Path, recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "whole"
    done = ml("train", scalps, "--recipe", recipe, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "was best" in done.stdout
    return out


def test_a_run_holds_weights_logs_and_curves(trained: Path) -> None:
    run = Run.open(trained)
    assert run.symptoms == tuple(KEYS)
    assert run.facts.synthetic
    assert run.facts.started_from == "ImageNet weights"
    assert "micro-batch 8" in run.facts.memory_plan
    with (trained / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert float(rows[-1]["training_loss"]) < float(rows[0]["training_loss"])
    assert (trained / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert list((trained / "tensorboard").glob("events.*"))


def test_a_training_that_is_killed_and_resumed_ends_with_the_same_weights(
    trained: Path, scalps: Path, recipe: Path, tmp_path: Path
) -> None:
    arguments = ("train", scalps, "--recipe", recipe, "--out", tmp_path / "run", "--checkpoint-seconds", "0")
    process = subprocess.Popen(command(*arguments), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    # The second epoch has begun, so it resumes from a checkpoint in the middle of one.
    while not (tmp_path / "run" / "log.csv").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "run" / RUN_FILE).exists()
    assert (tmp_path / "run" / CHECKPOINT_FILE).exists()

    done = ml(*arguments, "--workers", "2")
    assert done.returncode == 0, done.stderr
    assert "Going on in epoch" in done.stderr
    once, resumed = (load_file(folder / WEIGHTS_FILE) for folder in (trained, tmp_path / "run"))
    assert once.keys() == resumed.keys()
    assert all(torch.equal(once[name], resumed[name]) for name in once)
    figures = ("training_loss", "qwk", "macro_f1")
    both = (Run.open(trained).facts.history, Run.open(tmp_path / "run").facts.history)
    assert [[row[name] for name in figures] for row in both[0]] == [[row[name] for name in figures] for row in both[1]]


def test_another_training_does_not_overwrite_a_finished_run(trained: Path, scalps: Path, recipe: Path) -> None:
    before = (trained / WEIGHTS_FILE).read_bytes()
    done = ml("train", scalps, "--recipe", recipe, "--out", trained, "--seed", "1")
    assert done.returncode == 1
    assert "Name a new folder" in done.stderr
    assert (trained / WEIGHTS_FILE).read_bytes() == before


def test_another_division_of_the_same_pictures_is_another_training(trained: Path, scalps: Path, recipe: Path) -> None:
    parts = read_parts(scalps, None, 0)
    training, validation = parts["training"], parts["validation"]
    assert train(load_recipe(str(recipe)), training, validation, KEYS, trained).folder == trained
    with pytest.raises(RunInvalid, match="another training"):
        train(load_recipe(str(recipe)), [*training[1:], validation[0]], [*validation[1:], training[0]], KEYS, trained)


def test_other_weights_to_start_from_are_another_training(trained: Path, scalps: Path, recipe: Path) -> None:
    parts, own = read_parts(scalps, None, 0), trained / WEIGHTS_FILE
    with pytest.raises(RunInvalid, match="another training"):
        train(load_recipe(str(recipe)), parts["training"], parts["validation"], KEYS, trained, weights=own)


def test_a_folder_in_which_another_process_trains_is_left_alone(scalps: Path, recipe: Path, tmp_path: Path) -> None:
    parts = read_parts(scalps, None, 0)
    with (tmp_path / LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(RunInvalid, match="Another process trains"):
            train(load_recipe(str(recipe)), parts["training"], parts["validation"], KEYS, tmp_path)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_damaged_picture_ends_a_training_with_its_name(
    workers: str, scalps: Path, recipe: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "set"
    shutil.copytree(scalps, broken)
    record = read_parts(broken, None, 0)["training"][0]
    for copy in broken.rglob(f"{record.id}.jpg"):
        copy.write_bytes(b"\xff\xd8\xff" + bytes(200) + b"\xff\xd9")
    done = ml("train", broken, "--recipe", recipe, "--out", tmp_path / "run", "--workers", workers)
    assert done.returncode == 1
    assert f"The picture {record.id} can't be read" in done.stderr
    assert "Traceback" not in done.stderr


def test_frozen_layers_stay_as_they_start_and_the_others_learn(trained: Path) -> None:
    start, _ = start_weights("efficientnet-lite0", 24, 0)
    learned = Run.open(trained).weights()
    same = {name for name in start if torch.equal(start[name], learned[name])}
    frozen = {name for name in start if name.startswith(("_conv_stem.", "_bn0.", "_blocks.0.", "_blocks.1."))}
    assert frozen <= same
    assert "_blocks.2._expand_conv.weight" not in same
    assert "_blocks.15._bn2.running_mean" not in same


def test_a_run_answers_for_each_symptom_with_the_rows_of_its_own(trained: Path, scalps: Path) -> None:
    run = Run.open(trained)
    records = read_aihub(scalps).records[:5]
    outputs = run.outputs(records)
    assert outputs.shape == (5, 6, 4)
    weights = run.weights()
    rows = torch.cat([run.head(key, weights)["_fc.bias"] for key in KEYS])
    assert torch.equal(rows, weights["_fc.bias"])
    assert np.abs(outputs - run.outputs(records, batch=2)).max() < 1e-3


def test_compare_puts_recipes_side_by_side(scalps: Path, recipe: Path, tmp_path: Path) -> None:
    other = tmp_path / "ordinal.toml"
    other.write_text(
        RECIPE.replace('"cross_entropy"', '"corn"').replace("label_smoothing = 0.05", "").replace("strong", "deck")
    )
    split = tmp_path / "split.json"
    assert ml("data", "split", scalps, "--out", split, "--fractions", "0.6", "0.2", "0.2").returncode == 0
    recipes = ("--recipe", f"{recipe}=1", "--recipe", f"{other}=1")
    done = ml("compare", scalps, "--split", split, *recipes, "--pictures", "16", "--out", tmp_path / "table")
    assert done.returncode == 0, done.stderr
    table = json.loads((tmp_path / "table" / "comparison.json").read_text())
    assert [row["recipe"] for row in table["rows"]] == ["small", "ordinal"]
    assert table["training_pictures"] == 16
    for row in table["rows"]:
        assert (row["epochs"], row["recipe_epochs"]) == (1, 3)
        assert row["qwk"] == pytest.approx(np.mean(list(row["qwk_by_symptom"].values())))
        assert row["images_a_second"] > 0
    assert (tmp_path / "table" / "comparison.md").read_text() in done.stdout
    assert done.stdout.startswith("Synthetic pictures: 16 to train on")


def test_a_symptom_of_which_all_are_alike_has_no_kappa_in_the_table(
    trained: Path, scalps: Path, tmp_path: Path
) -> None:
    run, records = Run.open(trained), read_aihub(scalps).records
    said = run.outputs(records)[:, 0].argmax(axis=1)
    right = [record for record, grade in zip(records, said, strict=True) if record.grades[0] == grade]
    alike = [record for record in right if record.grades[0] == right[0].grades[0]]
    table = compare({"small": [run]}, {"small": 3}, alike)
    (row,) = table.rows
    assert row.qwk_by_symptom[KEYS[0]] is None
    others = [value for value in row.qwk_by_symptom.values() if value is not None]
    assert row.qwk == (pytest.approx(np.mean(others)) if others else None)
    table.write(tmp_path)
    assert json.loads((tmp_path / "comparison.json").read_text())["rows"][0]["qwk_by_symptom"][KEYS[0]] is None


def test_every_recipe_of_the_code_can_be_read() -> None:
    assert {"b0-224", "b7-300", "b7-600", "v2-m-384", "grown-b7-300"} <= set(recipe_names())
    for name in recipe_names():
        assert load_recipe(name).name == name


def test_the_decks_two_recipes_are_what_its_slides_say() -> None:
    small, large = load_recipe("b0-224"), load_recipe("b7-300")
    assert (small.architecture, small.image_size, small.epochs) == ("efficientnet-b0", 224, 10)
    assert (large.architecture, large.image_size, large.epochs, large.batch) == ("efficientnet-b7", 300, 20, 32)
    assert {small.augmentation, large.augmentation} == {"deck"}
    assert {small.heads, large.heads} == {"one"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("batch = 0", "batch"),
        ('loss = "corn"', "label_smoothing"),
        ('architecture = "efficientnet-b9"', "efficientnet-b9"),
        ('grows_into = "efficientnet-b3"', "can't grow"),
        ("typo = 1", "typo"),
        ("epochs = = 3", "cannot be read as a recipe"),
    ],
)
def test_a_recipe_that_no_training_can_follow_is_refused_by_name(change: str, says: str, tmp_path: Path) -> None:
    key = change.split(" ")[0]
    kept = [line for line in RECIPE.splitlines() if not line.startswith(f"{key} ")]
    path = tmp_path / "wrong.toml"
    path.write_text("\n".join([*kept, change]))
    with pytest.raises(RecipeInvalid, match=says):
        load_recipe(str(path))


def test_former_keys_of_recipes_are_read_with_the_same_identity(tmp_path: Path) -> None:
    former = RECIPE.replace("description = ", "says = ") + 'optimiser = "adam"\n'
    (tmp_path / "small.toml").write_text(former)
    recipe = load_recipe(str(tmp_path / "small.toml"))
    assert (recipe.description, recipe.optimizer) == ("Small enough for a test.", "adam")
    # As the version with the former keys computed it: its unfinished trainings can be resumed.
    assert _identity(recipe, [], [], KEYS, 0, None) == FORMER_IDENTITY
    (tmp_path / "small.toml").write_text(former + 'optimizer = "adam"\n')
    with pytest.raises(RecipeInvalid, match="optimiser is the former name of optimizer"):
        load_recipe(str(tmp_path / "small.toml"))


def test_a_checkpoint_with_the_former_key_of_the_optimizer_is_read(tmp_path: Path) -> None:
    network = torch.nn.Linear(2, 1)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    save_checkpoint(tmp_path, Progress(identity="x"), {"network": network}, optimizer)
    path = tmp_path / CHECKPOINT_FILE
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    tensors = {name.replace("optimizer/", "optimiser/"): tensor for name, tensor in load_file(path).items()}
    save_file(tensors, path, metadata)
    resumed = torch.optim.Adam(network.parameters())
    assert load_checkpoint(tmp_path, {"network": network}, resumed) is not None
    assert torch.equal(resumed.state_dict()["state"][0]["exp_avg"], optimizer.state_dict()["state"][0]["exp_avg"])


def test_weights_of_another_network_are_refused_as_a_start(tmp_path: Path, trained: Path) -> None:
    with pytest.raises(WeightsUnreadable, match="do not match efficientnet-b0"):
        start_weights("efficientnet-b0", 24, 0, trained / WEIGHTS_FILE)
    (tmp_path / "x.pth").write_bytes(b"no weights")
    with pytest.raises(WeightsUnreadable, match="can't be read"):
        start_weights("efficientnet-b0", 24, 0, tmp_path / "x.pth")


def test_a_folder_without_a_finished_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunInvalid, match="no finished run"):
        Run.open(tmp_path)
