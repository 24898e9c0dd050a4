"""The documentation names files, headings and names in files that exist."""

from __future__ import annotations

import re

from tests.support.environment import ROOT
from tests.unit.documentation.pages import TEXTS, every_page

# Files

#: Without the folders that a run makes.
TOP_LEVEL = {path.name for path in ROOT.iterdir()} - {"var", ".venv"}


def links(text: str) -> list[str]:
    """Targets of Markdown links and of pictures, without those to other hosts."""
    targets = [*re.findall(r"\]\(([^)\s]+)\)", text), *re.findall(r'<img src="([^"]+)"', text)]
    return [target for target in targets if not re.match(r"\w+:", target)]


def anchors(text: str) -> set[str]:
    """Headings as GitHub makes anchors of them, and anchors that are written out."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    made = {re.sub(r"[^\w -]", "", heading.strip()).lower().replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([^"]+)">', text))


def paths(text: str) -> set[str]:
    """Paths from the root of the repository, in code spans and in blocks of code."""
    code = re.findall(r"`([^`\n]+)`", text) + re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for span in code for line in span.splitlines() if "kubectl" not in line]  # It says deploy/NAME.
    words = {word.strip("'\"(),;:").partition("::")[0] for line in lines for word in line.split()}
    return {
        word for word in words if word.partition("/")[0] in TOP_LEVEL and "/" in word and not re.search("[…<>]", word)
    }


@every_page
def test_every_link_leads_to_a_file_and_a_heading(page: str) -> None:
    for target in links(TEXTS[page]):
        file, _, anchor = target.partition("#")
        path = (ROOT / page).parent / file if file else ROOT / page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path.read_text()), target


@every_page
def test_every_path_exists(page: str) -> None:
    missing = {
        path for path in paths(TEXTS[page]) if not (any(ROOT.glob(path)) if "*" in path else (ROOT / path).exists())
    }
    assert missing == set()


def test_a_path_and_an_anchor_that_do_not_exist_are_found() -> None:
    text = "See `tests/nowhere.py::test_x`, `kubectl exec deploy/web`, [it](docs/settings.md#nowhere).\n## Here, too\n"
    assert paths(text) == {"tests/nowhere.py"}
    assert links(text) == ["docs/settings.md#nowhere"]
    assert anchors(text) == {"here-too"}


@every_page
def test_a_name_in_a_file_is_in_that_file(page: str) -> None:
    """“`A` and `B` in `path`”: the pages say so of what is to be changed where."""
    for names, path in re.findall(r"((?:`\w+`(?:, | and )?)+)\s+in\s+`([\w/.-]+/[\w.-]+)`", TEXTS[page]):
        file = ROOT / path
        if path.partition("/")[0] in TOP_LEVEL and file.is_file():
            missing = [name for name in re.findall(r"`(\w+)`", names) if name not in file.read_text()]
            assert missing == [], path


def test_the_index_of_decisions_is_complete() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"^- \[(.+)\]\((.+)\)$", (folder / "README.md").read_text(), re.MULTILINE)
    assert [file for _, file in listed] == sorted(path.name for path in folder.glob("0*.md"))
    for title, file in listed:
        assert (folder / file).read_text().startswith(f"# {title}\n")
