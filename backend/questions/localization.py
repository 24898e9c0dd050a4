"""An entry in one language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.translation import get_language

from backend.questions.models import Entry, ReviewerRole


@dataclass(frozen=True)
class LocalizedEntry:
    key: str
    question: str
    answer: str
    source: str
    edited_on: date | None
    reviewed_on: date | None
    reviewed_by_role: str

    @property
    def reviewer(self) -> str:
        """The role of the reviewer in the reader's language."""
        return str(ReviewerRole(self.reviewed_by_role).label)


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
    question, answer = (
        (entry.question_ko, entry.answer_ko) if language == "ko" else (entry.question_en, entry.answer_en)
    )
    return LocalizedEntry(
        entry.key, question, answer, source, entry.edited_on, entry.reviewed_on, entry.reviewed_by_role
    )
