"""The pages of the documentation."""

from __future__ import annotations

import pytest

from tests.support.environment import ROOT

PAGES = sorted([
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md"),
])  # fmt: skip


TEXTS = {str(page.relative_to(ROOT)): page.read_text() for page in PAGES}


every_page = pytest.mark.parametrize("page", TEXTS)
