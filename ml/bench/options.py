"""The options that `python -m ml bench` and `make bench` share. Imports nothing slow."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

#: The lines that need no service; those with `eager-` need CUDA.
INFERENCE_LINES = (
    "original",
    "eager",
    "eager-fp16",
    "eager-batch",
    "eager-fp16-batch",
    "ours",
    "ours-batch",
    "limit",
)


def add_options(parser: argparse.ArgumentParser, lines: Sequence[str], out: Path | None = None) -> None:
    """Add the options; `lines` are the choices of `--only`, `out` is the default file for the JSON."""
    parser.add_argument("--rounds", type=int, help="(default: 4 on a CPU, 6 on CUDA)")
    parser.add_argument("--photos", type=int, help="photos per round (default: 16 on a CPU, 256 on CUDA)")
    parser.add_argument(
        "--only", nargs="+", choices=lines, metavar="LINE", help=f"only these lines: {', '.join(lines)}"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--out", type=Path, default=out, help="file for the JSON (default: %(default)s)")
    parser.add_argument("--largest-batch", action="store_true", help="also find the largest batch that fits on the GPU")
    parser.add_argument(
        "--work", type=Path, default=Path("var/bench"), help="folder for weights (default: %(default)s)"
    )
    parser.add_argument("--architecture", default="efficientnet-b7", help="(default: %(default)s)")
    parser.add_argument("--image-size", type=int, default=300, help="(default: %(default)s)")
