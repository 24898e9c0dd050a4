"""`python -m ml data` as a program: what it prints and the code it ends with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ml.data.aihub import read_aihub
from ml.data.splits import Split
from tests.support.aihub import flat, pictures, stem, write_zips
from tests.support.environment import ROOT


def data(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ml", "data", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture
def scalps(tmp_path: Path) -> Path:
    """Twelve persons in zips, two of them in both official parts, with one broken label."""
    files = pictures({stem(person): "120000" for person in range(12)})
    files |= pictures({stem(person, shot=3): "000000" for person in range(2)}, part="Validation")
    files[f"Training/{flat('라벨', 2, 1)}/{stem(50)}.json"] = b"{"
    return write_zips(tmp_path / "scalps", files)


def test_inspect_prints_grades_baselines_leaks_and_faults(scalps: Path) -> None:
    done = data("inspect", scalps)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("14 labeled pictures of 12 persons\n")
    assert "2  14.3%        12  85.7%" in done.stdout
    assert "0.857" in done.stdout
    assert "0 pictures in both, and 2 of 2 validation persons in training" in done.stdout
    assert "1 JSON files that cannot be read: skipped" in done.stdout
    assert f"{stem(50)}.json" in done.stdout


def test_inspect_answers_programs_in_json(scalps: Path) -> None:
    document = json.loads(data("inspect", scalps, "--json").stdout)
    assert (document["pictures"], document["persons"]) == (14, 12)
    assert document["leak"] == {"pictures": 0, "persons": 2, "persons_of_second": 2}
    assert [fault["fault"] for fault in document["faults"]] == ["broken_json"]


def test_split_writes_a_file_that_divides_the_same_pictures(scalps: Path, tmp_path: Path) -> None:
    out = tmp_path / "split.json"
    done = data("split", scalps, "--out", out, "--fractions", "0.5", "0.25", "0.25", "--seed", "4", "--json")
    assert done.returncode == 0, done.stderr
    split = Split.load(out)
    parts = split.divide(read_aihub(scalps).records)
    answer = json.loads(done.stdout)
    assert answer["parts"] == {
        part: {"persons": len(split.persons[part]), "pictures": len(group)} for part, group in parts.items()
    }
    assert (split.seed, answer["digest"]) == (4, split.digest)


def test_split_tells_people_how_large_the_parts_are(scalps: Path, tmp_path: Path) -> None:
    done = data("split", scalps, "--out", tmp_path / "split.json")
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()[:3]] == ["training", "validation", "test"]


def test_what_cannot_be_read_or_split_ends_with_one_and_a_sentence(scalps: Path, tmp_path: Path) -> None:
    for arguments in (
        ("inspect", tmp_path / "nowhere"),
        ("split", tmp_path / "nowhere", "--out", tmp_path / "split.json"),
        ("split", scalps, "--out", tmp_path / "no folder" / "split.json"),
    ):
        done = data(*arguments)
        assert done.returncode == 1, arguments
        assert done.stderr.count("\n") == 1
        assert "Traceback" not in done.stderr


def test_wrong_usage_ends_with_two(scalps: Path, tmp_path: Path) -> None:
    out = tmp_path / "split.json"
    for arguments in (
        (),
        ("inspect",),
        ("split", scalps),
        ("split", scalps, "--out", out, "--fractions", "0.8", "0.1", "0.3"),
        ("split", scalps, "--out", out, "--seed", "-1"),
    ):
        done = data(*arguments)
        assert done.returncode == 2, arguments
        assert "Traceback" not in done.stderr
    assert not out.exists()
