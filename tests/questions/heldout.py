"""300 questions that were written before any of the bot was tuned, and what it makes of them."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backend.questions.models import Entry
from backend.questions.selectors.answering import AnswerKind, QuestionAnswer, question_answer

FOLDER = Path(__file__).parent
OFF_TOPIC, RED_FLAG = "off-topic", "red-flag"


@dataclass(frozen=True)
class Asked:
    """A question, and the keys of the entries that answer it; or `OFF_TOPIC`; or `RED_FLAG`."""

    text: str
    language: str
    kind: str
    expect: tuple[str, ...]

    @property
    def answerable(self) -> bool:
        return not {OFF_TOPIC, RED_FLAG} & set(self.expect)


@dataclass(frozen=True)
class Trial:
    asked: Asked
    told: QuestionAnswer
    seconds: float

    @property
    def shown(self) -> list[str]:
        """Keys of the entries in the order in which a reader sees them."""
        entries: list[Entry] = [self.told.entry] if self.told.entry else []
        return [entry.key for entry in [*entries, *self.told.suggestions]]

    @property
    def first(self) -> bool:
        return bool(self.shown) and self.shown[0] in self.asked.expect

    @property
    def among_three(self) -> bool:
        return bool(set(self.shown[:3]) & set(self.asked.expect))

    @property
    def refused(self) -> bool:
        return self.told.kind in {AnswerKind.OFF_TOPIC, AnswerKind.UNKNOWN}

    @property
    def flagged(self) -> bool:
        return self.told.kind == AnswerKind.RED_FLAG


def questions() -> list[Asked]:
    return [
        Asked(row["text"], row["language"], row["kind"], tuple(row["expect"]))
        for path in sorted(FOLDER.glob("held-out-*.toml"))
        for row in tomllib.loads(path.read_text("utf-8"))["question"]
    ]


def trials() -> Iterator[Trial]:
    for asked in questions():
        begun = time.perf_counter()
        told = question_answer(asked.text, asked.language)
        yield Trial(asked, told, time.perf_counter() - begun)
