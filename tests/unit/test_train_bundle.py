"""`deploy/train-bundle`: the steps that it plans, what it says when one fails, and its estimates for a GPU."""

from __future__ import annotations

import argparse
import os
import subprocess
from pathlib import Path

import pytest

from deploy import train_bundle
from ml.cli import bundle, data, evaluate, gate, train
from ml.data.aihub import read_aihub
from ml.networks.flops import gflop
from ml.training.estimate import Gpu, answering_seconds, measure_loading, training_seconds
from ml.training.recipe import load_recipe
from ml.training.run import RunFacts
from tests.support.aihub import pictures, stem, write_folders
from tests.support.environment import ROOT

RECIPE = load_recipe("grown-b7-300")


def facts(epochs: int = 4) -> RunFacts:
    return RunFacts(
        recipe=RECIPE,
        symptoms=("dandruff",),
        seed=0,
        started_from="a test",
        pictures={"training": 1000, "validation": 100},
        identity="",
        digest="",
        synthetic=True,
        device="cpu",
        memory_plan="",
        best_epoch=0,
        seconds=1.0,
        images_a_second=1.0,
        history=[{}] * epochs,
    )


def planned(*words: str) -> dict[str, tuple[str, ...]]:
    options = train_bundle.parse(["/data/scalps", "/out", *words])
    return {step.name: step.words for step in train_bundle.plan(options)}


def test_the_steps_come_in_the_order_of_the_operator_s_path() -> None:
    names = ["inspect", "split", "train", "evaluate", "gate fit", "bundle build"]
    assert list(planned()) == names
    steps = planned("--photos", "/photos", "--shares", "shares.csv")
    assert list(steps) == [*names, "bundle adapt"]
    assert steps["bundle adapt"][:5] == ("bundle", "adapt", "/out/bundle", "/photos", "--out")
    assert steps["bundle adapt"][-2:] == ("--shares", "shares.csv")


def test_every_step_is_a_command_that_has_these_options() -> None:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    for command in (data, train, evaluate, gate, bundle):
        command.register(commands)
    ranked = planned("--photos", "/photos", "--marks", "marks.csv")["train"]
    assert ranked[-4:] == ("--photos", "/photos", "--marks", "marks.csv")
    adapting = ("--photos", "/photos", "--shares", "shares.csv", "--device", "cpu")
    training = ("--quick", "--seed", "3", "--workers", "2", "--batch", "8", "--negatives", "/others", "--far", "/heads")
    steps = planned(*training, *adapting)
    assert "bundle adapt" in steps
    for words in steps.values():
        assert parser.parse_args(words).run
    assert parser.parse_args(steps["train"]).pictures == 200


def test_a_quick_trial_is_small_and_what_is_given_wins() -> None:
    quick = planned("--quick", "--epochs", "2")
    assert [quick["train"][quick["train"].index(name) + 1] for name in ("--epochs", "--pictures")] == ["2", "200"]
    assert quick["gate fit"][-2:] == ("--count", "100")
    assert "--epochs" not in planned()["train"]


def test_a_synthetic_set_makes_a_demo_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "SYNTHETIC.txt").write_text("drawn")
    build = {s.name: s.words for s in train_bundle.plan(train_bundle.parse([str(tmp_path), "/out"]))}["bundle build"]
    assert build[-1] == "--demo"
    assert build[build.index("--trained-on") + 1].startswith("Synthetic pictures of the data set")
    assert "--demo" not in planned()["bundle build"]


def test_a_place_without_a_data_set_ends_it_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    command = [str(ROOT / "deploy" / "train-bundle"), "empty", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ}, check=False)
    assert done.returncode == 1
    assert "holds no picture with a usable label" in done.stderr
    assert "The step 'inspect' failed" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty"]


def test_training_on_a_gpu_is_three_passes_a_picture_and_the_validation() -> None:
    one = gflop("efficientnet-lite0", 300)
    seconds = training_seconds(facts(), 1e9, Gpu(tflops=2.0, loaders=1))
    assert seconds == pytest.approx(4 * (3 * 1000 + 100) * one / 2000)
    assert answering_seconds(facts(), 500, 1e9, Gpu(tflops=2.0, loaders=1)) == pytest.approx(500 * one / 2000)


def test_a_gpu_waits_for_its_pictures_where_loading_is_slower() -> None:
    assert training_seconds(facts(), 5.0, Gpu(tflops=1e6, loaders=4)) == pytest.approx(4 * 1100 / 20)


def test_loading_is_measured_on_the_pictures_themselves(tmp_path: Path) -> None:
    records = read_aihub(write_folders(tmp_path, pictures({stem(person): "100000" for person in range(4)}))).records
    assert 1 < measure_loading(records, RECIPE, ["dandruff"]) < 10_000
