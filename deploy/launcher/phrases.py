"""Finds phrases that readers stumble over, and names of tests that are too long: a step of `make check`.

It reads the docs, and the comments and strings of the product's Python code. Code between backticks is exempt.
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent

#: What to avoid, as a regular expression of whole words in which a space matches any white space, and what to say.
PHRASES = {
    "so many": "name the number: the number of photos, N seconds",
    r"(?:is|are|was|were) no(?! (?:longer|more|less|larger|smaller|higher|lower)\b)": "is not a, there is no",
    "it is there already": "it already exists",
    "is wanted": "is required, must be",
    "anew": "again, from scratch",
    "for ever": "forever, indefinitely",
    r"reckon\w*": "estimate, calculate",
    "lately": "recently",
    "whoever|who waits": "anyone who, a client that",
    "nobody|somebody": "no one, someone; better: the client or process that is meant",
    "of ours": "our own, or nothing",
    "lies? (?:in|on|at|beside|below|between|there|where)": "is, are, is stored",
    "held against": "compared with, checked against",
    "without a word": "silently, without a log line",
}

#: How many hits each top-level folder or file still has. Numbers only go down: the check also fails if one is too high.
ALLOWED: dict[str, int] = {"README.md": 0, "backend": 78, "deploy": 0, "docs": 0, "ml": 38, "workers": 1}

TEST_NAME_MAX = 70  # characters

TEST_NAME_MAX = 70  # characters

DOCUMENTS = ("README.md", "docs/**/*.md", "deploy/**/*.md", "deploy/monitoring/alerts.yml")
CODE = ("backend/**/*.py", "ml/**/*.py", "workers/**/*.py", "deploy/**/*.py")
EXEMPT = {Path(__file__).resolve()}

_PATTERNS = {
    re.compile(rf"\b(?:{phrase})\b".replace(" ", r"\s+"), re.IGNORECASE): PHRASES[phrase] for phrase in PHRASES
}
_PROSE_TOKENS = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}


class Hit(NamedTuple):
    path: str
    line: int
    phrase: str
    better: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: “{self.phrase}”; better: {self.better}"


def prose_of(code: str) -> str:
    """The comments and strings of a Python file, each at its own line and column, with blanks for everything else."""
    lines = code.splitlines(keepends=True)
    prose = [[" "] * len(line.rstrip("\n")) for line in lines]
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type in _PROSE_TOKENS:
            # Before Python 3.12, the token of an f-string includes the code in its braces.
            text = re.sub(r"^#:?|\{[^{}\n]*\}", lambda code: " " * len(code[0]), token.string)
            column = token.start[1]
            for row, part in enumerate(text.split("\n"), token.start[0] - 1):
                prose[row][column : column + len(part)] = part
                column = 0
    return "\n".join(map("".join, prose))


def hits_in(path: str, text: str) -> Iterator[Hit]:
    text = re.sub(r"`[^`\n]*`", lambda code: "`" * len(code[0]), text)
    for pattern, better in _PATTERNS.items():
        for match in pattern.finditer(text):
            yield Hit(path, text.count("\n", 0, match.start()) + 1, " ".join(match[0].split()), better)


def find_hits(root: Path) -> list[Hit]:
    hits: list[Hit] = []
    for glob in (*DOCUMENTS, *CODE):
        for file in sorted(root.glob(glob)):
            if file.resolve() not in EXEMPT and "migrations" not in file.parts:
                text = file.read_text(encoding="utf-8")
                hits += hits_in(str(file.relative_to(root)), prose_of(text) if file.suffix == ".py" else text)
    return sorted(hits)


def check(hits: list[Hit], allowed: dict[str, int]) -> list[str]:
    """The lines to print; none where each folder has exactly the allowed number of hits."""
    found = Counter(hit.path.partition("/")[0] for hit in hits)
    lines: list[str] = []
    for folder in sorted(found.keys() | allowed.keys()):
        count, limit = found[folder], allowed.get(folder, 0)
        if count > limit:
            lines += [str(hit) for hit in hits if hit.path.partition("/")[0] == folder]
            lines.append(f"{folder}: {count} hits, {limit} allowed. Reword what you have added.")
        elif count < limit:
            lines.append(f"{folder}: {count} hits, {limit} allowed. Set ALLOWED[{folder!r}] to {count} in phrases.py.")
    return lines


def find_long_test_names(root: Path) -> list[str]:
    lines: list[str] = []
    for file in sorted(root.glob("tests/**/*.py")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            test = re.match(r" *(?:async )?def (test_\w+)", line)
            if test and len(test[1]) > TEST_NAME_MAX:
                path = file.relative_to(root)
                lines.append(f"{path}:{number}: {test[1]} has {len(test[1])} characters, {TEST_NAME_MAX} allowed.")
    return lines


if __name__ == "__main__":
    complaints = check(find_hits(ROOT), ALLOWED) + find_long_test_names(ROOT)
    print("\n".join(complaints or ["Phrases and test names are fine."]))
    sys.exit(bool(complaints))
