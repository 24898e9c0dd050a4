"""Finds phrases that readers stumble over, British spelling, and long names of tests: a step of `make check`.

Phrases are looked for in the docs, and in the comments and strings of the product's Python code, except between
backticks; British spelling everywhere in docs and code, names of functions and variables included.
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
    r"(?<!there\s)(?:is|are|was|were) no(?! (?:longer|more|less|larger|smaller|higher|lower)\b)": "is not a, has no",
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

#: British spelling, as a regular expression of letters, which may be a part of a name, and the American spelling.
SPELLINGS = {
    r"analys(?:ed?|ing)(?![a-z])": "analyze",
    r"(?:behavi|col|fav|hon|hum|neighb|rum)our": "color, behavior, neighbor",
    r"catalogue": "catalog",
    r"centr(?:es?|ed)(?![a-z])": "center, centered",
    r"(?<![a-z])grey": "gray",
    r"judgement": "judgment",
    r"labelled(?!by)|(?:cancel|model|signal|travel)led": "labeled, canceled",
    r"(?:learn|spel)t(?![a-z])": "learned, spelled",
    r"licence": "license",
    r"(?<![a-z])(?:centi|kilo|milli)?metres?(?![a-z])": "meter",
    r"(?:author|general|initial|maxim|minim|normal|optim|organ|quant|real|recogn|serial|standard|summar|synthes|util)is"
    r"(?:e[drs]?|ing|ation|able)(?![a-z])": "-ize, -ization",
    r"programme(?![a-z])": "program",
    r"(?<![a-z])towards(?![a-z])": "toward",
}

#: Names that keep their spelling, because commands, files or messages in queues have them.
PROMISED_NAMES = re.compile(
    r"""--licence\b|\blicence(?=[=:])|["']licence["']|\.licence\b"""  # of `ml bundle build`; a key of bundle.json
    r"""|synthesise(?![a-z])"""  # `ml data synthesise`
    r"""|requirements/quantised\b|["']quantised["']"""  # a role
    r"""|\banalyse_photo\b"""  # a task
    r"""|["']optimiser/?["']|\boptimiser(?= =| is the former name of)"""  # of earlier versions
)

#: How many hits each top-level folder or file still has. Numbers only go down: the check also fails if one is too high.
ALLOWED: dict[str, int] = {}

TEST_NAME_MAX = 70  # characters

DOCUMENTS = ("README.md", "docs/**/*.md", "deploy/**/*.md", "deploy/monitoring/alerts.yml")
CODE = ("backend/**/*.py", "ml/**/*.py", "workers/**/*.py", "deploy/**/*.py")
#: Only their spelling is checked.
SPELLED = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "tests/**/*.py",
    "frontend/static/js/**/*.js",
    "frontend/static/css/*.css",
)
EXEMPT = {Path(__file__).resolve(), ROOT / "tests/unit/launcher/test_phrases.py"}

_PATTERNS = {
    re.compile(rf"\b(?:{phrase})\b".replace(" ", r"\s+"), re.IGNORECASE): PHRASES[phrase] for phrase in PHRASES
}
_SPELLINGS = {re.compile(spelling, re.IGNORECASE): SPELLINGS[spelling] for spelling in SPELLINGS}
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
    """The phrases to avoid in a text, except between backticks."""
    return _matches(path, _mask(r"`[^`\n]*`", text), _PATTERNS)


def spelling_hits_in(path: str, text: str) -> Iterator[Hit]:
    """The words with British spelling in a text, except promised names and, in documents, code between backticks."""
    if path.endswith(".md"):
        text = _mask(r"`[^`\n]*`", text)
    return _matches(path, _mask(PROMISED_NAMES, text), _SPELLINGS)


def _mask(pattern: str | re.Pattern[str], text: str) -> str:
    return re.sub(pattern, lambda match: "`" * len(match[0]), text)


def _matches(path: str, text: str, patterns: dict[re.Pattern[str], str]) -> Iterator[Hit]:
    for pattern, better in patterns.items():
        for match in pattern.finditer(text):
            yield Hit(path, text.count("\n", 0, match.start()) + 1, " ".join(match[0].split()), better)


def find_hits(root: Path) -> list[Hit]:
    hits: list[Hit] = []
    for glob in (*DOCUMENTS, *CODE, *SPELLED):
        for file in sorted(root.glob(glob)):
            if file.resolve() not in EXEMPT and "migrations" not in file.parts:
                path, text = str(file.relative_to(root)), file.read_text(encoding="utf-8")
                hits += spelling_hits_in(path, text)
                if glob not in SPELLED:
                    hits += hits_in(path, prose_of(text) if file.suffix == ".py" else text)
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
