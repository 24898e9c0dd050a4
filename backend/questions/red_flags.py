"""What must not wait for an answer: rules over words (`red_flags.toml`), before anything is searched for."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from backend.questions.retrieval.terms import normal


class RedFlag(StrEnum):
    """Why somebody should see a doctor now; `LIFE`: why somebody should talk to somebody now."""

    LIFE = "life"
    BREATH = "breath"
    BLEEDING = "bleeding"
    INJURY = "injury"
    BURN = "burn"
    INFECTION = "infection"
    BLISTERS = "blisters"
    SUDDEN_LOSS = "sudden-loss"
    CHILD = "child"


#: These are as grave when they are told of the past.
_ALWAYS = frozenset({RedFlag.LIFE, RedFlag.BREATH})


def red_flag(question: str) -> RedFlag | None:
    """The first reason for which this can't wait, if there is one."""
    rules = _rules()
    said = rules.denied.sub(" ", normal(question))
    today = rules.long_ago.search(said) is None
    for rule in rules.rules:
        if (today or rule.flag in _ALWAYS) and rule.holds(said):
            return rule.flag
    return None


@dataclass(frozen=True)
class _Rule:
    flag: RedFlag
    all: tuple[re.Pattern[str], ...]
    unless: re.Pattern[str] | None

    def holds(self, said: str) -> bool:
        if self.unless and self.unless.search(said):
            return False
        return all(pattern.search(said) for pattern in self.all)


class _Rules:
    def __init__(self, path: Path) -> None:
        read = tomllib.loads(path.read_text("utf-8"))
        self.denied = _any(read["denied"])
        self.long_ago = _any(read["long_ago"])
        self.rules = [
            _Rule(
                RedFlag(rule["flag"]),
                tuple(_any(words) for words in rule["all"]),
                _any(rule["unless"]) if "unless" in rule else None,
            )
            for rule in read["rule"]
        ]


@lru_cache(1)
def _rules() -> _Rules:
    return _Rules(Path(__file__).with_name("red_flags.toml"))


def _any(patterns: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns))
