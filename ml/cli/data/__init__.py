"""`python -m ml data`: inspect and split data sets, draw pictures and compare them with real ones.

One module per action, each with `register(actions)`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from ml.cli.data import contact_sheet, inspect, realism, split, synthesise

#: In the order of `--help`.
ACTIONS: tuple[Callable[[Any], None], ...] = (
    inspect.register,
    split.register,
    synthesise.register,
    contact_sheet.register,
    realism.register,
)


def register(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "data",
        help="inspect or split a data set, draw a synthetic one, compare it with real pictures",
        description="Inspect and split data sets, draw synthetic ones and measure how realistic those are.",
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    for register_action in ACTIONS:
        register_action(actions)
