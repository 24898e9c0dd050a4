"""`python -m ml data`: look at data sets, split them and draw pictures.

One module an action, each with `register(actions)`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from ml.cli.data import inspect, split

#: What adds each action to the command line, in the order in which `--help` lists them.
ACTIONS: tuple[Callable[[Any], None], ...] = (inspect.register, split.register)


def register(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "data",
        help="look at a data set and split it",
        description="Data sets: what they hold, and how they are split.",
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    for register_action in ACTIONS:
        register_action(actions)
