"""Illnesses that a question names, by the patterns in `illnesses.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from backend.questions.retrieval.terms import compile_alternatives, normalize


@dataclass(frozen=True)
class NamedIllness:
    """The key of the entry about an illness, and whether the question is if one has it."""

    key: str
    asks_whether: bool


def named_illness(question: str) -> NamedIllness | None:
    """The first illness that the question names; none if its entry is not for this question."""
    patterns = _patterns()
    text = normalize(question)
    if not patterns.is_on_scalp(text):
        return None
    for key, names in patterns.names:
        if names.search(text):
            return NamedIllness(key, bool(patterns.asks.search(text)))
    return None


def may_be_on_scalp(question: str) -> bool:
    """False if the question is about a medicine, a known illness, an animal or another part of the body."""
    return _patterns().is_on_scalp(normalize(question))


class _Patterns:
    def __init__(self, path: Path) -> None:
        read = tomllib.loads(path.read_text("utf-8"))
        self.asks = compile_alternatives(read["asks"])
        self.names: list[tuple[str, re.Pattern[str]]] = [
            (illness["key"], compile_alternatives(illness["names"])) for illness in read["illness"]
        ]
        self._scalp = compile_alternatives(read["scalp"])
        self._other_places = compile_alternatives(read["other_places"])
        self._other_matters = compile_alternatives(read["other_matters"])

    def is_on_scalp(self, text: str) -> bool:
        if self._other_matters.search(text):
            return False
        return bool(self._scalp.search(text)) or not self._other_places.search(text)


@lru_cache(1)
def _patterns() -> _Patterns:
    return _Patterns(Path(__file__).with_name("illnesses.toml"))
