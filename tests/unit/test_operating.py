"""The operator's guide: each alert finds what to do, and every link in it leads somewhere."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.support.environment import ROOT

GUIDE = (ROOT / "deploy" / "operating.md").read_text()
RULES = yaml.safe_load((ROOT / "deploy" / "monitoring" / "alerts.yml").read_text())
ALERTS = [rule["alert"] for group in RULES["groups"] for rule in group["rules"]]


def anchors() -> set[str]:
    """Headings as GitHub makes anchors of them, and those that are written out."""
    headings = re.findall(r"^#+ (.+)$", GUIDE, re.MULTILINE)
    made = {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([^"]+)">', GUIDE))


@pytest.mark.parametrize("alert", ALERTS)
def test_the_guide_says_what_to_do_for(alert: str) -> None:
    section = re.search(rf"^### {alert}\n(.*?)(?=^### |\Z)", GUIDE, re.MULTILINE | re.DOTALL)
    assert section
    assert len(section[1].split()) > 15


def test_every_rule_points_at_a_place_in_the_guide() -> None:
    rules = [path.read_text() for path in (ROOT / "deploy" / "monitoring").rglob("*.yml")]
    named = {anchor for text in rules for anchor in re.findall(r"operating\.md#([\w-]+)", text)}
    assert named <= anchors()


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", GUIDE):
        file, _, anchor = target.partition("#")
        assert (
            not file or file.startswith("http") or file == "kubernetes/README.md" or (ROOT / "deploy" / file).exists()
        )
        assert not anchor or file or anchor in anchors()


def test_settings_and_commands_that_it_names_are_there() -> None:
    known = "\n".join(
        path.read_text()
        for path in [
            *(ROOT / "backend" / "config").glob("*.py"), ROOT / "deploy" / "gunicorn.conf.py",
            *(ROOT / "deploy" / "launcher").glob("*.py"),
        ]
    )  # fmt: skip
    for name in set(re.findall(r"SCALP_([A-Z_]+)", GUIDE)):
        assert f'"{name}"' in known or f"SCALP_{name}" in known, name
    commands = {path.stem for path in (ROOT / "backend").rglob("management/commands/*.py")}
    for command in re.findall(r"manage\.py (\w+)", GUIDE):
        assert command in commands | {"migrate", "changepassword"}, command
