"""Numbers and labels as people say them, in the reader's language."""

from __future__ import annotations

import math
from collections.abc import Sequence

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from backend.analyses.judgment import GOOD, MILD, SignJudgment
from ml.labels import GRADES, SCALP_TYPES, SYMPTOMS, TYPE_KEY_BY_WORD, Label


def label_word(label: Label) -> str:
    """The Korean or the English name of a symptom, a grade or a scalp type."""
    return label.korean if (get_language() or "ko").startswith("ko") else label.english


_SIGNS = {label.key: label for label in SYMPTOMS}
_TYPES = {label.key: label for label in SCALP_TYPES}


def sign_name(key: str) -> str:
    """The reader's name of the symptom with this key."""
    return label_word(_SIGNS[key])


def type_name(key: str) -> str:
    """The reader's name of the scalp type with this key."""
    return label_word(_TYPES[key])


def type_word(korean: str) -> str:
    """The reader's word for a scalp type that the row keeps in Korean."""
    return type_name(TYPE_KEY_BY_WORD[korean])


def grade_mark(sign: SignJudgment) -> str:
    """“2”, “1–2” between two grades, “?” if the sign is not rated."""
    if sign.lowest is None:
        return "?"
    return str(sign.lowest) if sign.lowest == sign.highest else f"{sign.lowest}–{sign.highest}"


def grade_word(sign: SignJudgment) -> str:
    """“Moderate”, “Mild to moderate”, “Not rated”."""
    if sign.lowest is None or sign.highest is None:
        return gettext("Not rated")
    if (sign.lowest, sign.highest) == (GOOD, MILD):
        return gettext("Absent or mild")
    lowest, highest = label_word(GRADES[sign.lowest]), label_word(GRADES[sign.highest])
    if lowest == highest:
        return lowest
    return gettext("{lowest} to {highest}").format(lowest=lowest, highest=highest.lower())


def join_names(names: Sequence[str]) -> str:
    """“a”, “a and b”, “a, b and c”; at least one name."""
    *others, last = names
    return gettext("{others} and {last}").format(others=", ".join(others), last=last) if others else last


def hours_words(hours: float) -> str:
    """A period: “24 hours”, “7 days”, “30 minutes”."""
    if hours < 1:
        minutes = max(1, round(hours * 60))
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    if hours > 48:
        days = math.ceil(hours / 24)
        return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
    whole = math.ceil(hours)
    return ngettext("%(n)d hour", "%(n)d hours", whole) % {"n": whole}


#: An upper limit in seconds, and the range in words. Estimates are rough, and so are the words.
_RANGES: tuple[tuple[float, Promise], ...] = (
    (10, _("less than 10 seconds")),
    (30, _("10 to 30 seconds")),
    (60, _("30 seconds to a minute")),
    (120, _("1 to 2 minutes")),
    (300, _("2 to 5 minutes")),
    (600, _("5 to 10 minutes")),
    (1800, _("10 to 30 minutes")),
    (math.inf, _("more than half an hour")),
)


def seconds_words(seconds: float) -> str:
    """A time to wait, as a range."""
    return str(next(words for most, words in _RANGES if seconds <= most))


def confidence_words(confidence: float) -> str:
    """A confidence of 0–1 in words; the highest is spoken of no surer than a system right three times in four."""
    if confidence >= 0.8:
        return gettext("high confidence")
    if confidence >= 0.6:
        return gettext("medium confidence")
    return gettext("low confidence")


_PLACES = (
    _("Most of the clues for this grade are at the upper left of the photo."),
    _("Most of the clues for this grade are at the top of the photo."),
    _("Most of the clues for this grade are at the upper right of the photo."),
    _("Most of the clues for this grade are on the left of the photo."),
    _("Most of the clues for this grade are in the middle of the photo."),
    _("Most of the clues for this grade are on the right of the photo."),
    _("Most of the clues for this grade are at the lower left of the photo."),
    _("Most of the clues for this grade are at the bottom of the photo."),
    _("Most of the clues for this grade are at the lower right of the photo."),
)


def clue_words(seen: bytes) -> str:
    """Which ninth of the photo a map, as `Finding` keeps it, says most of."""
    side = math.isqrt(len(seen))
    ninths, places = [0] * 9, [0] * 9
    for place, level in enumerate(seen):
        ninth = place // side * 3 // side * 3 + place % side * 3 // side
        ninths[ninth] += level
        places[ninth] += 1
    return str(_PLACES[max(range(9), key=lambda ninth: ninths[ninth] / places[ninth])])
