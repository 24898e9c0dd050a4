"""Answer a question from what was reviewed, or say that there is no answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
from django.db.models import Count, Max

from backend.questions.models import Entry, EntryText, Topic
from backend.questions.red_flags import RedFlag, red_flag
from backend.questions.retrieval.index import Index, Match, Role, Text

QUESTION_MAX_CHARS = 200  #: letters of a question
NOT_BLANK = r"[^\s\x00-\x1f\x7f-\x9f]"  #: found in a question, in Python as in ECMAScript
MAX_SUGGESTIONS = 3


@dataclass(frozen=True)
class Limits:
    """Scores from which something is known, and surely known. `decoys`: their share of the softmax over all scores,
    each times `sharpness`, from which a question is off topic: many that fit a little count like one that fits well.
    """

    known: float
    sure: float
    decoys: float
    sharpness: float


#: By whether meaning counts. Chosen on 2,600 phrases of the entries, each eighth of them left out in turn, and half of
#: the decoys with all of theirs: nine of ten off topic are refused, and four of five sure answers are right.
WITH_MEANING = Limits(known=0.6, sure=1.15, decoys=0.1, sharpness=8)
WITHOUT_MEANING = Limits(known=0.13, sure=0.40, decoys=0.1, sharpness=30)

#: Parts of keys of entries that belong to a sign; they come first for somebody whose report has that sign.
KEY_PARTS_BY_SIGN = {
    "fine_scaling": ("dry", "scaling"),
    "excess_sebum": ("sebum", "oily"),
    "interfollicular_erythema": ("redness", "sensitive"),
    "follicular_erythema_pustules": ("pustules", "inflamed"),
    "dandruff": ("dandruff",),
    "hair_loss": ("hair-loss",),
}
#: What many ask, most first.
POPULAR_ENTRIES = ("accuracy", "doctor-when", "wash-how-often", "hair-loss-a-day", "erase", "type-what")
SIGN_BONUS = 0.03  #: between two that fit alike


class AnswerKind(StrEnum):
    RED_FLAG = "red_flag"  #: this can't wait: somebody should be seen now
    ANSWER = "answer"
    UNSURE = "unsure"  #: it may be one of the suggestions
    OFF_TOPIC = "off_topic"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Answer:
    """What a question was answered: an entry and others like it, suggestions alone, or neither."""

    kind: AnswerKind
    language: str
    flag: RedFlag | None = None
    entry: Entry | None = None
    suggestions: tuple[Entry, ...] = ()
    nearest: str = ""
    means: bool = True  #: whether meaning was looked at, beside words and letters


def question_answer(question: str, language: str, signs: Sequence[str] = ()) -> Answer:
    """Answer in `language`. `signs`: keys of the signs that the reader's report found, the most marked first."""
    question = question[:QUESTION_MAX_CHARS]
    if flag := red_flag(question):
        return Answer(AnswerKind.RED_FLAG, language, flag=flag)
    known = _search_state(_state())
    limits = WITH_MEANING if known.index.means else WITHOUT_MEANING
    ranked = known.index.ranked(question, known.nudges(signs))
    best = [match for match in ranked if match.key not in known.decoys | known.flags]
    means = known.index.means
    if not ranked or ranked[0].score < limits.known:
        return Answer(AnswerKind.UNKNOWN, language, nearest=ranked[0].key if ranked else "", means=means)
    if ranked[0].key in known.flags:
        return Answer(AnswerKind.RED_FLAG, language, flag=RedFlag(ranked[0].key), means=means)
    if share(ranked, known.decoys, limits.sharpness) > limits.decoys:
        return Answer(AnswerKind.OFF_TOPIC, language, nearest=ranked[0].key, means=means)
    entries = known.entries(best[:MAX_SUGGESTIONS])
    if best[0].score >= limits.sure:
        return Answer(AnswerKind.ANSWER, language, None, entries[0], tuple(entries[1:]), best[0].key, means)
    return Answer(AnswerKind.UNSURE, language, None, None, tuple(entries), best[0].key, means)


def share(ranked: Sequence[Match], keys: Collection[str], sharpness: float) -> float:
    """What the matches of `keys` have of the softmax over all scores, 0 to 1."""
    likely = np.exp([sharpness * (match.score - ranked[0].score) for match in ranked])
    return float(likely[[match.key in keys for match in ranked]].sum() / likely.sum())


def entry_get(key: str) -> Entry | None:
    """An entry that is answered."""
    return Entry.objects.filter(key=key).exclude(topic__in=(Topic.DECOY, Topic.RED_FLAG)).first()


def first_questions(signs: Sequence[str] = ()) -> list[Entry]:
    """Entries to begin with: of the reader's signs, else what many ask."""
    wanted = [*(f"care-{KEY_PARTS_BY_SIGN[sign][0]}" for sign in signs if sign in KEY_PARTS_BY_SIGN), *POPULAR_ENTRIES]
    found = {entry.key: entry for entry in Entry.objects.filter(key__in=wanted)}
    return [found[key] for key in dict.fromkeys(wanted) if key in found][:4]


class _SearchState:
    """All entries as they are now, indexed."""

    def __init__(self) -> None:
        rows = EntryText.objects.values_list("entry__key", "role", "language", "text", "terms", "vector")
        self.index = Index(
            [
                Text(
                    key, Role(role), language, text, tuple(terms.split()),
                    None if vector is None else np.frombuffer(bytes(vector), dtype=np.float32),
                )
                for key, role, language, text, terms, vector in rows.order_by("id")
            ]
        )  # fmt: skip
        self.decoys = frozenset(Entry.objects.filter(topic=Topic.DECOY).values_list("key", flat=True))
        self.flags = frozenset(Entry.objects.filter(topic=Topic.RED_FLAG).values_list("key", flat=True))

    def nudges(self, signs: Sequence[str]) -> Mapping[str, float]:
        nudged: dict[str, float] = {}
        for sign in signs:
            for part in KEY_PARTS_BY_SIGN.get(sign, ()):
                nudged |= {
                    key: SIGN_BONUS for key in self.index.keys if part in key and key not in self.decoys | self.flags
                }
        return nudged

    def entries(self, matches: Sequence[Match]) -> list[Entry]:
        found = Entry.objects.in_bulk([match.key for match in matches], field_name="key")
        return [found[match.key] for match in matches if match.key in found]


def _state() -> str:
    """Another word for each state of the entries."""
    state = Entry.objects.aggregate(count=Count("id"), last=Max("changed_at"))
    return f"{state['count']} {state['last']}"


@lru_cache(1)
def _search_state(_state: str) -> _SearchState:
    return _SearchState()
