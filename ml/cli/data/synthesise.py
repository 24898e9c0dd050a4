"""`python -m ml data synthesise`: a synthetic data set in the layout of AI Hub's scalp set."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from ml.cli.arguments import count, number
from ml.labels import GRADES, SYMPTOMS


def register(actions: Any) -> None:
    parser: argparse.ArgumentParser = actions.add_parser(
        "synthesise",
        help="draw a synthetic data set",
        description="Draw synthetic scalps and write them in the layout of AI Hub's set of scalp images by type "
        "(dataSetSn 216): Training and Validation, a folder or zip for each symptom and grade, labels and meta files. "
        "The same options give the same pictures. They show no real person and contain nothing from the real set.",
    )
    parser.add_argument("out", type=Path, help="folder to write, new or empty")
    parser.add_argument("--pictures", type=count, required=True, help="number of distinct pictures")
    parser.add_argument("--seed", type=number, default=0, help="(default: %(default)s)")
    parser.add_argument("--persons", type=count, help="number of persons (default: one per twelve pictures)")
    parser.add_argument(
        "--balanced",
        action="store_true",
        help="make all grades equally frequent, instead of as frequent as in the real set",
    )
    parser.add_argument("--zip", action="store_true", help="write zips instead of folders")
    parser.add_argument(
        "--workers", type=count, default=os.cpu_count() or 1, help="processes that draw (default: one per core)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ml.data.files import SYNTHETIC_MARKER
    from ml.data.synthetic.cohort import plan_cohort
    from ml.data.synthetic.dataset import write_dataset

    try:
        for name in ("pictures", "workers"):
            if getattr(options, name) < 1:
                raise ValueError(f"--{name} must be 1 or more")
        if options.seed < 0:
            raise ValueError("--seed must be 0 or more")
        shots = plan_cohort(options.pictures, seed=options.seed, persons=options.persons, balanced=options.balanced)
    except ValueError as error:
        print(f"python -m ml data synthesise: {error}", file=sys.stderr)
        return 2
    start = time.perf_counter()
    written = write_dataset(options.out, shots, zipped=options.zip, workers=options.workers)
    seconds = time.perf_counter() - start
    if options.json:
        document = {
            "out": str(options.out),
            "synthetic": True,
            "seed": options.seed,
            "pictures": written.pictures,
            "persons": written.persons,
            "parts": dict(written.parts),
            "files": written.files,
            "grades": written.grades,
            "seconds": round(seconds, 2),
        }
        print(json.dumps(document, indent=2, ensure_ascii=False))
        return 0
    parts = ", ".join(f"{part} {count}" for part, count in written.parts.items())
    print(f"{written.pictures} synthetic pictures of {written.persons} fictional persons ({parts})")
    print()
    print(f"{'Pictures by grade':<37}{''.join(f'{grade.english:>10}' for grade in GRADES)}")
    for symptom in SYMPTOMS:
        print(f"  {symptom.english:<35}{''.join(f'{count:>10}' for count in written.grades[symptom.key])}")
    print()
    print(f"{options.out}: {written.files} files written in {seconds:.1f} s; {SYNTHETIC_MARKER} describes them")
    return 0
