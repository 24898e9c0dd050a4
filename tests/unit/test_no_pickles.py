"""Our code neither reads nor writes files that run code when they are read."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.environment import ROOT

BANNED = ("pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve")
SOURCES = sorted(path for room in ("ml", "backend", "workers", "deploy") for path in (ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("module", BANNED)
@pytest.mark.parametrize("how", ["import {0}", "from {0} import loads"])
def test_the_linter_refuses_the_import(module: str, how: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--stdin-filename", "ml/new.py", "--no-cache", "-"],
        cwd=ROOT, input=how.format(module) + "\n", capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "TID251" in done.stdout


def test_no_source_of_ours_imports_one() -> None:
    assert len(SOURCES) > 150
    found = [(path, name) for path in SOURCES for name in imported(path) if name.split(".")[0] in BANNED]
    assert found == []


def imported(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return names


def test_torch_loads_weights_only_but_where_an_operator_asks_for_more() -> None:
    """`--allow-pickle` of `python -m ml bundle import` is for weights of one's own; the service has no way to it."""
    free = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                options = {option.arg: ast.unparse(option.value) for option in node.keywords}
                if options.get("weights_only") != "True":
                    free.append(str(path.relative_to(ROOT)))
    assert free == ["ml/build/foreign_weights.py"]


def test_messages_are_json_alone() -> None:
    from django.conf import settings

    assert settings.CELERY_ACCEPT_CONTENT == ["json"]
    assert settings.CELERY_TASK_SERIALIZER == "json"
    banned = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert set(BANNED) <= set(banned["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"])
