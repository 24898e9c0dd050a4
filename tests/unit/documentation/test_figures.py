"""The documentation's figures are those of the repository."""

from __future__ import annotations

import re
import tomllib

from backend.clinics.sample import SAMPLE_COUNT
from deploy.launcher.environment import GIGABYTES_CUDA
from tests.support.environment import ROOT
from tests.unit.documentation.pages import TEXTS


def test_the_readme_is_short() -> None:
    assert len(TEXTS["README.md"].splitlines()) <= 110


def in_one_line(page: str) -> str:
    return " ".join(TEXTS[page].split())


def test_as_many_faults_are_named_as_are_in_the_table() -> None:
    rows = re.findall(r"^\| \S.*\. \|.*\| (\d+) \| (\d+) \|$", TEXTS["docs/faults.md"], re.MULTILINE)
    assert set(rows) == {("0", "0")}
    assert f"has {len(rows)} faults under load, with no result lost and none written twice" in in_one_line("README.md")
    assert f"a matrix of {len(rows)}, under load" in in_one_line("CHANGELOG.md")


def test_the_readme_counts_what_is_there() -> None:
    entries = [tomllib.loads(file.read_text()) for file in (ROOT / "backend" / "questions" / "entries").glob("*.toml")]
    products = (ROOT / "backend" / "products" / "samples.csv").read_text().splitlines()
    assert f"from {sum(len(file.get('entry', [])) for file in entries)} texts" in in_one_line("README.md")
    assert f"{len(products) - 1} invented ones" in in_one_line("README.md")
    assert f"there are {SAMPLE_COUNT:,} invented ones" in in_one_line("README.md")
    assert f"{GIGABYTES_CUDA} GB of free disk" in in_one_line("README.md")
