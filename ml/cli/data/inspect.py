"""`python -m ml data inspect`: the contents of a data set and its faults."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.labels import GRADES, SYMPTOMS

if TYPE_CHECKING:
    from ml.data.inspection import Inspection

#: How many devices, ages and so on the text lists, the most frequent first. The JSON has all.
_MAX_LISTED = 12


def register(actions: Any) -> None:
    parser: argparse.ArgumentParser = actions.add_parser(
        "inspect",
        help="count the contents of a data set and its faults",
        description="Count grades, persons, devices, regions, duplicates and leaks of AI Hub's set of scalp images "
        "by type (dataSetSn 216), and report what was left out and why. Zips are read without unpacking.",
    )
    parser.add_argument("path", type=Path, help="folder of the data set, with zips, unpacked files or both, or one zip")
    parser.add_argument(
        "--whole",
        action="store_true",
        help="read every picture completely: slow, but finds damage inside compressed zips",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ml.data.aihub import read_aihub
    from ml.data.inspection import inspect_data

    inspection = inspect_data(read_aihub(options.path, partial_labels=True, whole_pictures=options.whole))
    if options.json:
        print(json.dumps(inspection.as_json(), indent=2, ensure_ascii=False))
    else:
        print_inspection(inspection)
    return 0


def print_inspection(inspection: Inspection) -> None:
    print(f"{inspection.pictures} labeled pictures of {inspection.persons} persons")
    if inspection.partly_labeled:
        print(
            f"{inspection.partly_labeled} of them are labeled for only some symptoms: `train` and `evaluate` use "
            "the labels that exist"
        )
    print()
    header = "".join(f"{grade.english:>18}" for grade in GRADES)
    print(f"{'Pictures by grade, over all folders':<37}{header}  always-majority accuracy")
    for symptom, counts in zip(SYMPTOMS, inspection.symptoms, strict=True):
        cells = "".join(f"{count:>10} {share:>6.1%}" for count, share in zip(counts.grades, counts.shares, strict=True))
        unlabeled = f"  {counts.unlabeled} not labeled" if counts.unlabeled else ""
        print(f"  {symptom.english:<35}{cells}  {counts.majority_accuracy:.3f}{unlabeled}")
    if any(sum(counts.filed) for counts in inspection.symptoms):
        _print_folders(inspection)
    print()
    for name, by in (
        ("Devices", inspection.devices),
        ("Regions", inspection.regions),
        ("Sexes", inspection.sexes),
        ("Ages", inspection.ages),
    ):
        frequent = sorted(by.items(), key=lambda pair: -pair[1])[:_MAX_LISTED]
        more = f" and {len(by) - _MAX_LISTED} more" if len(by) > _MAX_LISTED else ""
        print(f"{name}: {', '.join(f'{value} {count}' for value, count in frequent)}{more}")
    copies = ", ".join(f"{count} in {number}" for number, count in inspection.copies.items())
    print(f"Copies: of {inspection.pictures} pictures {copies}")
    if any(inspection.parts.values()):
        print(f"Official parts: {', '.join(f'{part} {count}' for part, count in inspection.parts.items())}")
    if leak := inspection.leak:
        print(
            f"Leak between the official parts: {leak.pictures} pictures in both, and {leak.persons} of "
            f"{leak.persons_of_second} validation persons in training"
        )
    _print_faults(inspection)


def _print_folders(inspection: Inspection) -> None:
    print()
    print(f"Pictures by the folder they are filed in ({inspection.all_good} have all six grades at 0)")
    for symptom, counts in zip(SYMPTOMS, inspection.symptoms, strict=True):
        print(
            f"  {symptom.english:<35}{''.join(f'{count:>18}' for count in counts.filed)}  "
            f"{counts.disagreements} disagree with the label"
        )
        for example in counts.examples:
            print(f"      {example}")


def _print_faults(inspection: Inspection) -> None:
    print()
    print("Faults:" if inspection.faults.counts else "No faults.")
    for fault, count, examples in inspection.faults:
        print(f"  {count} {fault.value}")
        for example in examples:
            print(f"      {example}")
