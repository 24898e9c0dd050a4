"""Questions that are urgent, by the rules in `red_flags.toml`, which are checked before any search."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from backend.questions.retrieval.terms import compile_alternatives, normalize


class RedFlag(StrEnum):
    """Why the person who asks should see a doctor now; with `LIFE`, why they should talk to someone now."""

    LIFE = "life"
    BREATH = "breath"
    BLEEDING = "bleeding"
    INJURY = "injury"
    BURN = "burn"
    INFECTION = "infection"
    BLISTERS = "blisters"
    SUDDEN_LOSS = "sudden-loss"
    CHILD = "child"


#: Urgent even if the question also speaks of the past or of a scar.
_ALWAYS_URGENT = frozenset({RedFlag.LIFE, RedFlag.BREATH, RedFlag.BLEEDING, RedFlag.INFECTION})


def red_flag(question: str) -> RedFlag | None:
    """The first red flag that the question raises, if any."""
    rules = _rules()
    text = rules.denied.sub(" ", normalize(question))
    is_recent = rules.long_ago.search(text) is None
    for rule in rules.rules:
        if (is_recent or rule.flag in _ALWAYS_URGENT) and rule.matches(text):
            return rule.flag
    return None


@dataclass(frozen=True)
class _Rule:
    flag: RedFlag
    all: tuple[re.Pattern[str], ...]
    unless: re.Pattern[str] | None

    def matches(self, text: str) -> bool:
        if self.unless and self.unless.search(text):
            return False
        return all(pattern.search(text) for pattern in self.all)


class _Rules:
    def __init__(self, path: Path) -> None:
        read = tomllib.loads(path.read_text("utf-8"))
        self.denied = compile_alternatives(read["denied"])
        self.long_ago = compile_alternatives(read["long_ago"])
        self.rules = [
            _Rule(
                RedFlag(rule["flag"]),
                tuple(compile_alternatives(words) for words in rule["all"]),
                compile_alternatives(rule["unless"]) if "unless" in rule else None,
            )
            for rule in read["rule"]
        ]


@lru_cache(1)
def _rules() -> _Rules:
    return _Rules(Path(__file__).with_name("red_flags.toml"))
