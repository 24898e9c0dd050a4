"""The documentation's commands exist and parse."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import get_commands, load_command_class

from ml.cli import main as ml_main
from ml.cli.arguments import ListRecipes
from tests.support.environment import ROOT
from tests.unit.documentation.pages import TEXTS


def commands(text: str) -> Iterator[list[str]]:
    """Shell commands of a page, in blocks of code and in code spans, each as words without variables before it."""
    blocks = re.findall(r"^```(?:sh)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    blocks += re.findall(r"^ +```(?:sh)?\n(.*?)^ +```", text, re.MULTILINE | re.DOTALL)
    blocks += re.findall(r"((?:^    \S.*\n)+)", text, re.MULTILINE)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    for line in [*lines, *re.findall(r"`([^`\n]+)`", text)]:
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if words:
            yield words


def commands_of(*start: str) -> list[tuple[str, list[str]]]:
    """All commands of all pages that begin so, each with its page and its further words."""
    found: dict[tuple[str, ...], str] = {}
    for page, text in TEXTS.items():
        for words in commands(text):
            for at in range(len(words) - len(start) + 1):
                if tuple(words[at : at + len(start)]) == start:
                    found.setdefault(tuple(words[at + len(start) :]), page)
                    break
    return [(page, list(words)) for words, page in sorted(found.items())]


def words_as_id(found: str | list[str]) -> str:
    return found if isinstance(found, str) else " ".join(found)


def test_every_make_target_exists() -> None:
    targets = {word for _, words in commands_of("make") for word in words if re.fullmatch(r"[a-z-]+", word)} - {"…"}
    assert {"run", "test", "check"} <= targets
    done = subprocess.run(["make", "-n", *sorted(targets)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def parsed(arguments: list[str]) -> None:
    """Parse the arguments of `python -m ml` without doing what they say. Raises SystemExit where they are wrong."""
    original = argparse.ArgumentParser.parse_args

    def parse(self: argparse.ArgumentParser, *given: Any) -> argparse.Namespace:
        options = original(self, *given)
        options.run = lambda _: 0
        return options

    # To name the recipes takes torch, seconds to import.
    names_recipes = patch.object(ListRecipes, "__call__", lambda _self, parser, *_: parser.exit())
    with names_recipes, patch.object(argparse.ArgumentParser, "parse_args", parse):
        assert ml_main(arguments) == 0


def is_a_mention(words: list[str]) -> bool:
    """Whether only the name of a command is meant, not a command that a reader could run."""
    return all(re.fullmatch(r"[a-z-]+", word) for word in words)


@pytest.mark.parametrize(("page", "words"), commands_of("python", "-m", "ml"), ids=words_as_id)
def test_an_ml_command_parses(page: str, words: list[str]) -> None:
    if words == ["…"]:
        return
    asked = [*words, "--help"] if is_a_mention(words) else words
    try:
        parsed(asked)
    except SystemExit as end:
        assert not end.code, f"{page}: python -m ml {' '.join(words)}"  # noqa: PT017 - 0 or None is what help ends with


@pytest.mark.parametrize(
    "arguments", [["predict", "photo.jpg", "--nonsense"], ["bundle", "nonsense"], ["nonsense"]], ids=words_as_id
)
def test_an_ml_command_that_does_not_parse_is_found(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parsed(arguments)
    assert end.value.code == 2
    assert "nonsense" in capsys.readouterr().err


@pytest.mark.parametrize(("page", "words"), commands_of("python", "backend/manage.py"), ids=words_as_id)
def test_a_manage_command_parses(page: str, words: list[str]) -> None:
    name, *arguments = words
    application = get_commands()[name]
    command = load_command_class(application, name) if isinstance(application, str) else application
    try:
        command.create_parser("manage.py", name).parse_args(arguments or ["--help"])
    except SystemExit as end:
        assert not end.code, f"{page}: manage.py {' '.join(words)}"  # noqa: PT017


@pytest.mark.parametrize(
    ("page", "words"),
    [(page, words) for page, words in commands_of("python", "-m") if words[:1] != ["ml"]],
    ids=words_as_id,
)
def test_another_module_that_is_run_exists_and_knows_its_options(page: str, words: list[str]) -> None:
    module, *arguments = words
    if module == "…":
        return
    spec = find_spec(module)
    assert spec is not None, f"{page}: python -m {module}"
    if module == "pytest":
        assert [word for word in arguments if "/" in word and not (ROOT / word).exists()] == []
        return
    assert spec.origin is not None
    folder = Path(spec.origin)
    source = "".join(
        path.read_text() for path in (folder.parent.glob("*.py") if folder.stem == "__init__" else [folder])
    )
    for option in (word for word in arguments if word.startswith("--")):
        assert option in source or option.removeprefix("--").replace("-", "_") in source, option


@pytest.mark.parametrize(("page", "words"), commands_of("pip", "install"), ids=words_as_id)
def test_an_installed_list_of_requirements_exists(page: str, words: list[str]) -> None:
    assert (ROOT / words[words.index("-r") + 1]).exists(), page


def test_the_commands_of_celery_name_applications() -> None:
    named = [words[words.index("-A") + 1] for _, words in commands_of("celery") if "-A" in words]
    assert named
    assert [name for name in named if find_spec(name) is None] == []


def test_the_estimate_of_capacity_answers() -> None:
    words = next(words for _, words in commands_of("python", "-m", "deploy.capacity") if words)
    done = subprocess.run([sys.executable, "-m", "deploy.capacity", *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
