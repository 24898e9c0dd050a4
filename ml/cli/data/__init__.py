"""`python -m ml data`: look at data sets, split them and draw pictures.

One module an action, each with `register(actions)`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from ml.cli.data import inspect, split, synthesise

#: What adds each action to the command line, in the order in which `--help` lists them.
ACTIONS: tuple[Callable[[Any], None], ...] = (inspect.register, split.register, synthesise.register)


def register(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "data",
        help="look at a data set, split it, draw a synthetic one",
        description="Data sets: what they hold, how they are split, and synthetic ones.",
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    for register_action in ACTIONS:
        register_action(actions)
