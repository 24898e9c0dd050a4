"""`python -m ml data split`: split a data set by person."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from ml.cli.arguments import number


def register(actions: Any) -> None:
    parser: argparse.ArgumentParser = actions.add_parser(
        "split",
        help="split a data set by person",
        description="Split the pictures into training, validation and test so that no person is in two parts and the "
        "grades of all symptoms are distributed alike. The same pictures and seed give the same split.",
    )
    parser.add_argument("path", type=Path, help="the data set's folder or zip")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write; an earlier one is replaced")
    parser.add_argument(
        "--fractions",
        type=float,
        nargs=3,
        default=(0.8, 0.1, 0.1),
        metavar=("TRAINING", "VALIDATION", "TEST"),
        help="shares of the pictures; they must sum to 1 (default: 0.8 0.1 0.1)",
    )
    parser.add_argument("--seed", type=number, default=0, help="(default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ml.data.aihub import read_aihub
    from ml.data.splits import check_fractions, grade_deviation, split_by_person

    fractions = dict(zip(("training", "validation", "test"), options.fractions, strict=True))
    try:
        check_fractions(fractions)
        if options.seed < 0:
            raise ValueError("the seed must be 0 or more")
    except ValueError as error:
        print(f"python -m ml data split: {error}", file=sys.stderr)
        return 2
    records = read_aihub(options.path, partial_labels=True).records
    split = split_by_person(records, fractions, seed=options.seed)
    split.save(options.out)
    parts = split.divide(records)
    deviation = grade_deviation(parts)
    if options.json:
        document = {
            "split": str(options.out),
            "digest": split.digest,
            "parts": {
                part: {"persons": len(split.persons[part]), "pictures": len(group)} for part, group in parts.items()
            },
            "grade_deviation": round(deviation, 4),
        }
        print(json.dumps(document, indent=2, ensure_ascii=False))
        return 0
    for part, group in parts.items():
        persons = len(split.persons[part])
        print(f"{part:<12}{len(group):>8} pictures ({len(group) / len(records):.1%}) of {persons} persons")
    print(f"Grade shares of a part differ from those of all pictures by at most {deviation:.1%}.")
    print(f"{options.out}: written")
    return 0
