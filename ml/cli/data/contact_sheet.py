"""`python -m ml data contact-sheet`: pictures of several folders on one sheet, to compare by eye."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ml.cli.arguments import count, number


def register(actions: Any) -> None:
    parser: argparse.ArgumentParser = actions.add_parser(
        "contact-sheet",
        help="put pictures of several folders on one sheet",
        description="Put pictures of several folders on one sheet, in labeled rows that alternate between folders, to "
        "compare synthetic and real pictures by eye. The same folders and seed give the same sheet.",
    )
    parser.add_argument("folders", type=Path, nargs="*", metavar="FOLDER", help="folders of pictures")
    parser.add_argument("--drawn", action="store_true", help="also draw synthetic scalps, with seeds from --seed on")
    parser.add_argument("--out", type=Path, required=True, help="JPEG or PNG to write; an earlier one is replaced")
    parser.add_argument("--count", type=count, default=18, help="pictures per folder (default: %(default)s)")
    parser.add_argument("--columns", type=count, default=6, help="pictures per row (default: %(default)s)")
    parser.add_argument("--seed", type=number, default=0, help="chooses the pictures (default: %(default)s)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import numpy as np

    from ml.data.contact_sheet import draw_contact_sheet
    from ml.data.files import find_photographs
    from ml.errors import MLError
    from ml.evaluation.realism import drawn_scalps
    from ml.preprocessing import open_photo

    if not options.folders and not options.drawn:
        print("python -m ml data contact-sheet: name a folder or use --drawn", file=sys.stderr)
        return 2
    sets = {}
    if options.drawn:
        sets[f"drawn, seeds from {options.seed}"] = list(drawn_scalps(options.count, options.seed))
    for folder in options.folders:
        paths = find_photographs(folder)
        chosen = np.sort(np.random.default_rng(options.seed).permutation(len(paths))[: options.count])
        label = f"{folder}, {len(chosen)} of {len(paths)} pictures"
        sets[label] = [open_photo(paths[index]) for index in chosen]
    sheet = draw_contact_sheet(sets, options.columns)
    try:
        sheet.save(options.out, quality=90)
    except (OSError, ValueError) as error:
        raise MLError(f"{options.out} cannot be written: {error}") from error
    print(f"{options.out}: {sum(map(len, sets.values()))} pictures, {sheet.width}×{sheet.height} pixels")
    return 0
