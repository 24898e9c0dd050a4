"""Argument types and actions that several commands share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any


def count(text: str) -> int:
    """A whole number of at least 1."""
    return _whole(text, least=1)


def number(text: str) -> int:
    """A whole number of at least 0."""
    return _whole(text, least=0)


def _whole(text: str, *, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
    return value


class ListRecipes(argparse.Action):
    """Print the recipes that ship with the code, and exit, as `--help` does."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, **options)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from ml.training.recipe import load_recipe, recipe_names

        for name in recipe_names():
            sys.stdout.write(f"{name:<16} {load_recipe(name).description}\n")
        parser.exit()
