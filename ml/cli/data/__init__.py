"""`python -m ml data`: look at data sets, split them, draw pictures and compare those with real ones.

One module an action, each with `register(actions)`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from ml.cli.data import contact_sheet, inspect, realism, split, synthesise

#: What adds each action to the command line, in the order in which `--help` lists them.
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
        help="look at a data set, split it, draw a synthetic one and compare it with real pictures",
        description="Data sets: what they hold, how they are split, synthetic ones, and how real those look.",
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    for register_action in ACTIONS:
        register_action(actions)
