"""The threat model names a test for each line, and each of them exists."""

from __future__ import annotations

import ast
import re

import pytest

from tests.support.environment import ROOT

PAGE = (ROOT / "deploy" / "threats.md").read_text()
TABLE = PAGE[PAGE.index("| threat |") : PAGE.index("## Known limits")]
LINES = [line for line in TABLE.splitlines() if line.startswith("|")][2:]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def names_in(path: str) -> set[str]:
    """The names of the tests in a file; none if the file does not exist."""
    file = ROOT / path
    if not file.is_file():
        return set()
    return {node.name for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split("|")[1].strip())
def test_each_line_names_tests_that_exist(line: str) -> None:
    _, threat, defense, tested_by, _ = line.split("|")
    assert threat.strip()
    assert defense.strip()
    found = NAMED.findall(tested_by)
    assert len(found) == tested_by.count("`") // 2 > 0, "each is named as `tests/….py::test_…`"
    missing = [f"{path}::{test}" for path, test in found if test not in names_in(path)]
    assert missing == []


def test_a_test_that_there_is_not_is_missed() -> None:
    assert "test_that_there_is_not" not in names_in("tests/unit/test_threats.py")
    assert names_in("tests/unit/nowhere.py") == set()
    assert len(LINES) >= 15


def test_the_page_is_one_page() -> None:
    assert len(PAGE.splitlines()) <= 60
