"""Finds the entry that answers a question, or says that none does."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

import numpy as np
from django.db.models import Count, Max

from backend.questions.illnesses import may_be_on_scalp, named_illness
from backend.questions.models import Entry, EntryText, Topic
from backend.questions.red_flags import RedFlag, red_flag
from backend.questions.retrieval.index import Index, Match, Role, Text

QUESTION_MAX_CHARS = 200
NOT_BLANK = r"[^\s\x00-\x1f\x7f-\x9f]"  #: a character that a question must have; the same in Python and ECMAScript
MAX_SUGGESTIONS = 3


@dataclass(frozen=True)
class Thresholds:
    """Minimum scores of a suggestion and of a sure answer, and the share of decoys above which a question is off topic.

    The share is that of a softmax over all scores times `sharpness`, so that several decoys that fit a little count
    like one that fits well.
    """

    suggestion: float
    answer: float
    decoy_share: float
    sharpness: float


#: Chosen by 8-fold cross-validation on 2,600 phrases of the entries, with half of the decoys left out entirely: nine
#: in ten off-topic questions are refused, and four in five sure answers are right.
WITH_EMBEDDINGS = Thresholds(suggestion=0.6, answer=1.15, decoy_share=0.1, sharpness=8)
WITHOUT_EMBEDDINGS = Thresholds(suggestion=0.13, answer=0.40, decoy_share=0.1, sharpness=30)

#: Parts of keys of entries about a sign. These entries rank higher if the reader's report has the sign.
KEY_PARTS_BY_SIGN = {
    "fine_scaling": ("dry", "scaling"),
    "excess_sebum": ("sebum", "oily"),
    "interfollicular_erythema": ("redness", "sensitive"),
    "follicular_erythema_pustules": ("pustules", "inflamed"),
    "dandruff": ("dandruff",),
    "hair_loss": ("hair-loss",),
}
#: Keys of common questions, the most common first.
POPULAR_ENTRIES = ("accuracy", "doctor-when", "wash-how-often", "hair-loss-a-day", "erase", "type-what")
SIGN_BONUS = 0.03  #: small, so that it decides only between entries that fit about equally well


class AnswerKind(StrEnum):
    RED_FLAG = "red_flag"  #: urgent; has advice instead of an entry
    ANSWER = "answer"
    UNSURE = "unsure"  #: it may be one of the suggestions
    OFF_TOPIC = "off_topic"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class QuestionAnswer:
    """The answer to a question: an entry with related ones, only suggestions, or neither."""

    kind: AnswerKind
    language: str
    flag: RedFlag | None = None
    entry: Entry | None = None
    suggestions: tuple[Entry, ...] = ()
    nearest: str = ""
    by_meaning: bool = True  #: whether embeddings were compared, and not only words and letters


def question_answer(question: str, language: str, signs: Sequence[str] = ()) -> QuestionAnswer:
    """Answer in `language`. `signs`: keys of the signs in the reader's report, the most pronounced first."""
    question = question[:QUESTION_MAX_CHARS]
    if flag := red_flag(question):
        return QuestionAnswer(AnswerKind.RED_FLAG, language, flag=flag)
    answer = _search_answer(question, language, signs)
    if answer.entry and answer.entry.topic == Topic.ILLNESS and not may_be_on_scalp(question):
        return replace(answer, kind=AnswerKind.OFF_TOPIC, entry=None, suggestions=())
    illness = named_illness(question)
    if illness is None or answer.kind == AnswerKind.RED_FLAG:
        return answer
    if illness.asks_whether or answer.kind in {AnswerKind.OFF_TOPIC, AnswerKind.UNKNOWN}:
        return _illness_answer(illness.key, answer)
    return answer


def _search_answer(question: str, language: str, signs: Sequence[str]) -> QuestionAnswer:
    search = _search_index(_entries_version())
    by_meaning = search.index.by_meaning
    thresholds = WITH_EMBEDDINGS if by_meaning else WITHOUT_EMBEDDINGS
    ranked = search.index.rank(question, search.sign_bonuses(signs))
    best = [match for match in ranked if match.key not in search.decoys | search.red_flags]
    if not ranked or ranked[0].score < thresholds.suggestion:
        nearest = ranked[0].key if ranked else ""
        return QuestionAnswer(AnswerKind.UNKNOWN, language, nearest=nearest, by_meaning=by_meaning)
    if ranked[0].key in search.red_flags:
        return QuestionAnswer(AnswerKind.RED_FLAG, language, flag=RedFlag(ranked[0].key), by_meaning=by_meaning)
    if softmax_share(ranked, search.decoys, thresholds.sharpness) > thresholds.decoy_share:
        return QuestionAnswer(AnswerKind.OFF_TOPIC, language, nearest=ranked[0].key, by_meaning=by_meaning)
    entries = search.entries(best[:MAX_SUGGESTIONS])
    if best[0].score >= thresholds.answer:
        return QuestionAnswer(
            AnswerKind.ANSWER, language, None, entries[0], tuple(entries[1:]), best[0].key, by_meaning
        )
    return QuestionAnswer(AnswerKind.UNSURE, language, None, None, tuple(entries), best[0].key, by_meaning)


def _illness_answer(key: str, found: QuestionAnswer) -> QuestionAnswer:
    """The entry about an illness, and what the search found as related; that alone if there is no such entry."""
    entry = entry_get(key)
    if entry is None:
        return found
    related = [one for one in (found.entry, *found.suggestions) if one and one != entry][: MAX_SUGGESTIONS - 1]
    return replace(found, kind=AnswerKind.ANSWER, entry=entry, suggestions=tuple(related), nearest=key)


def softmax_share(ranked: Sequence[Match], keys: Collection[str], sharpness: float) -> float:
    """The share of `keys` in a softmax over all scores, 0 to 1."""
    weights = np.exp([sharpness * (match.score - ranked[0].score) for match in ranked])
    return float(weights[[match.key in keys for match in ranked]].sum() / weights.sum())


def entry_get(key: str) -> Entry | None:
    """The entry with this key, if it has an answer."""
    return Entry.objects.filter(key=key).exclude(topic__in=(Topic.DECOY, Topic.RED_FLAG)).first()


def common_questions(signs: Sequence[str] = ()) -> list[Entry]:
    """Up to four entries to start with: first those about the reader's signs, then common questions."""
    keys = [*(f"care-{KEY_PARTS_BY_SIGN[sign][0]}" for sign in signs if sign in KEY_PARTS_BY_SIGN), *POPULAR_ENTRIES]
    found = {entry.key: entry for entry in Entry.objects.filter(key__in=keys)}
    return [found[key] for key in dict.fromkeys(keys) if key in found][:4]


class _SearchIndex:
    """An index of all entries as they are now."""

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
        self.red_flags = frozenset(Entry.objects.filter(topic=Topic.RED_FLAG).values_list("key", flat=True))

    def sign_bonuses(self, signs: Sequence[str]) -> Mapping[str, float]:
        parts = [part for sign in signs for part in KEY_PARTS_BY_SIGN.get(sign, ())]
        answered = set(self.index.keys) - self.decoys - self.red_flags
        return {key: SIGN_BONUS for key in answered if any(part in key for part in parts)}

    def entries(self, matches: Sequence[Match]) -> list[Entry]:
        found = Entry.objects.in_bulk([match.key for match in matches], field_name="key")
        return [found[match.key] for match in matches if match.key in found]


def _entries_version() -> str:
    """Changes whenever an entry does."""
    state = Entry.objects.aggregate(count=Count("id"), last=Max("changed_at"))
    return f"{state['count']} {state['last']}"


@lru_cache(1)
def _search_index(_version: str) -> _SearchIndex:
    return _SearchIndex()
