"""An entry in one language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.translation import get_language

from backend.questions.models import Entry


@dataclass(frozen=True)
class LocalizedEntry:
    key: str
    question: str
    answer: str
    source: str
    reviewed: date | None


def reader_language() -> str:
    """`ko` or `en`: the language of this request."""
    return "ko" if (get_language() or "ko").startswith("ko") else "en"


def localize_entry(entry: Entry, language: str) -> LocalizedEntry:
    """The entry in `ko` or `en`. A source in both languages, “English (한국어)”, is cut down to that one."""
    source = entry.source
    if language == "ko" and source.endswith(")"):
        source = "; ".join(part.rpartition(" (")[2].removesuffix(")") for part in source.split("; "))
    elif language == "en":
        source = "; ".join(part.rpartition(" (")[0] or part for part in source.split("; "))
    if language == "ko":
        return LocalizedEntry(entry.key, entry.question_ko, entry.answer_ko, source, entry.reviewed)
    return LocalizedEntry(entry.key, entry.question_en, entry.answer_en, source, entry.reviewed)
