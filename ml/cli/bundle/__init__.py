"""`python -m ml bundle`: build, adapt, verify, import and look at bundles; a module an action, or a pair of them."""

from __future__ import annotations

import argparse
from typing import Any

from ml.cli.bundle import adapt, build, importing, info


def register(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "bundle",
        help="build, adapt, verify, import or describe a bundle",
        description="Bundles: the seven models as a folder.",
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    for module in (build, adapt, importing, info):
        module.register(actions)
