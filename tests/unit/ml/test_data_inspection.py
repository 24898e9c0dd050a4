"""What an inspection counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ml.data.aihub import read_aihub
from ml.data.inspection import Inspection, inspect_data, official_parts
from tests.support.aihub import Files, flat, jpeg, label, pictures, stem, write_folders


def inspected(root: Path, files: Files) -> Inspection:
    return inspect_data(read_aihub(write_folders(root, files)))


def test_grades_are_counted_over_all_folders_with_a_constant_baseline(tmp_path: Path) -> None:
    grades = {stem(1): "100000", stem(2): "010000", stem(3): "020000", stem(4): "000000"}
    inspection = inspected(tmp_path, pictures(grades))
    scaling, sebum = inspection.symptoms[:2]
    assert scaling.grades == (3, 1, 0, 0)
    assert scaling.shares == (0.75, 0.25, 0.0, 0.0)
    assert scaling.majority_accuracy == 0.75
    assert (sebum.key, sebum.grades, sebum.majority_accuracy) == ("excess_sebum", (2, 1, 1, 0), 0.5)


def test_each_good_folder_holds_only_the_pictures_without_any_symptom(tmp_path: Path) -> None:
    inspection = inspected(tmp_path, pictures({stem(1): "100000", stem(2): "010000", stem(3): "000000"}))
    assert inspection.all_good == 1
    assert [symptom.filed[0] for symptom in inspection.symptoms] == [1] * 6
    assert inspection.symptoms[0].grades[0] == 2


def test_persons_devices_regions_sexes_and_ages_are_counted(tmp_path: Path) -> None:
    names = [stem(1), stem(1, region="BH"), stem(2, device="B"), "8952_5_RH"]
    files = pictures(dict.fromkeys(names, "100000"))
    files[f"META/{stem(2, device='B')}_META.json"] = json.dumps({"gender": "여", "age": "34"}).encode()
    inspection = inspected(tmp_path, files)
    assert (inspection.pictures, inspection.persons) == (4, 3)
    assert inspection.devices == {"A2LEBJJDE00060O": 2, "B": 1, "unknown": 1}
    assert inspection.regions == {"BH": 1, "RH": 1, "TH": 2}
    assert inspection.sexes == {"unknown": 3, "여": 1}
    assert inspection.ages == {"30대": 1, "unknown": 3}


def test_duplicates_are_counted_by_how_many_copies_there_are(tmp_path: Path) -> None:
    inspection = inspected(tmp_path, pictures({stem(1): "111111", stem(2): "110000", stem(3): "001000"}))
    assert inspection.copies == {1: 1, 2: 1, 6: 1}


def test_pictures_and_persons_in_both_official_parts_are_a_leak(tmp_path: Path) -> None:
    training = pictures({stem(1): "100000", stem(2): "100000", stem(3): "100000"})
    validation = {stem(1): "100000", stem(2, shot=4): "100000", stem(4): "100000"}
    root = write_folders(tmp_path, training | pictures(validation, part="Validation"))
    data = read_aihub(root)
    assert {part: len(group) for part, group in official_parts(data.records).items()} == {
        "training": 3,
        "validation": 3,
    }
    leak = inspect_data(data).leak
    assert leak is not None
    assert (leak.pictures, leak.persons, leak.persons_of_second) == (1, 2, 3)


def test_a_set_without_official_parts_has_no_leak_to_report(tmp_path: Path) -> None:
    inspection = inspected(tmp_path, pictures({stem(1): "100000"}, part="두피"))
    assert (inspection.parts, inspection.leak) == ({"training": 0, "validation": 0}, None)


@pytest.mark.parametrize("kind", ["원천", "라벨"])
def test_a_folder_that_contradicts_the_label_is_counted_and_shown(tmp_path: Path, kind: str) -> None:
    files = pictures({stem(1): "100000", stem(2): "100000"})
    ending, data = {"원천": ("jpg", jpeg()), "라벨": ("json", label(stem(1), "100000"))}[kind]
    files[f"Training/{flat(kind, 0, 3)}/{stem(1)}.{ending}"] = data
    scaling = inspected(tmp_path, files).symptoms[0]
    assert scaling.grades == (0, 2, 0, 0)
    assert scaling.filed == (0, 2, 0, 1)
    assert (scaling.disagreements, scaling.examples) == (1, (f"{stem(1)}: folder 3, label 1",))


def test_an_inspection_is_a_json_document_with_faults_and_shares(tmp_path: Path) -> None:
    files = pictures({stem(1): "100000", stem(2): "000000"}) | {"Training/a.txt": b""}
    document = json.loads(json.dumps(inspected(tmp_path, files).as_json()))
    assert document["symptoms"][0]["shares"] == [0.5, 0.5, 0, 0]
    assert document["symptoms"][0]["majority_accuracy"] == 0.5
    assert document["copies"] == {"1": 1, "6": 1}
    (fault,) = document["faults"]
    assert (fault["fault"], fault["count"]) == ("other_file", 1)
    assert fault["examples"][0].endswith("Training/a.txt")
