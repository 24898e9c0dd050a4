"""`python -m ml bundle`: build, adapt, import, verify and describe bundles; one module per action or two."""

from __future__ import annotations

import argparse
from typing import Any

from ml.cli.bundle import adapt, build, import_, info


def register(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "bundle",
        help="build, adapt, verify, import or describe a bundle",
        description="A bundle is a folder with the seven models.",
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    for module in (build, adapt, import_, info):
        module.register(actions)
