"""`python -m ml data paint`: signs painted on real photographs, as a partly labelled data set to train on."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from ml.cli.arguments import count, number


def register(actions: Any) -> None:
    parser: argparse.ArgumentParser = actions.add_parser(
        "paint",
        help="paint signs on ungraded real photographs",
        description="Paint signs of known grades on real photographs that nobody has graded, and write them in the "
        "layout of AI Hub's set, labelled for what is known alone. `train --also` learns from them beside a data set. "
        "The photographs' licence goes with the pictures.",
    )
    parser.add_argument("photos", type=Path, help="folder of photographs")
    parser.add_argument("out", type=Path, help="folder to write, new or empty")
    parser.add_argument(
        "--marks",
        type=Path,
        metavar="CSV",
        help="what a person marked on them: columns file, dandruff_share, oil_share, sensitive_share; a sign that is "
        "not marked counts as absent",
    )
    parser.add_argument("--variants", type=count, default=4, help="pictures per photograph (default: %(default)s)")
    parser.add_argument("--seed", type=number, default=0, help="(default: %(default)s)")
    parser.add_argument(
        "--workers", type=count, default=os.cpu_count() or 1, help="processes that paint (default: one per core)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ml.data.synthetic.dataset import write_dataset
    from ml.data.synthetic.painting import MARKER_TEXT, plan_painting, read_marks
    from ml.gate.pictures import find_photographs

    photos = find_photographs(options.photos)
    marks = read_marks(options.marks) if options.marks else {}
    shots = plan_painting(photos, marks, variants=options.variants, seed=options.seed)
    written = write_dataset(options.out, shots, workers=options.workers, says=MARKER_TEXT)
    print(f"{options.out}: {written.pictures} pictures of {len(photos)} photographs, {len(marks)} of them with marks")
    return 0
