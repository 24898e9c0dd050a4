"""An entry in one language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.translation import get_language

from backend.questions.models import Entry


@dataclass(frozen=True)
class WordedEntry:
    key: str
    question: str
    answer: str
    source: str
    reviewed: date | None


def reader_language() -> str:
    """`ko` or `en`, as the reader of this request wants it."""
    return "ko" if (get_language() or "ko").startswith("ko") else "en"


def worded(entry: Entry, language: str) -> WordedEntry:
    """In `ko` or `en`; a source that names itself in both, as “English (한국어)”, is given in that one."""
    source = entry.source
    if language == "ko" and source.endswith(")"):
        source = "; ".join(part.rpartition(" (")[2].removesuffix(")") for part in source.split("; "))
    elif language == "en":
        source = "; ".join(part.rpartition(" (")[0] or part for part in source.split("; "))
    if language == "ko":
        return WordedEntry(entry.key, entry.question_ko, entry.answer_ko, source, entry.reviewed)
    return WordedEntry(entry.key, entry.question_en, entry.answer_en, source, entry.reviewed)
