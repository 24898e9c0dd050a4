"""What people consent to, as the form says it. Apps show the same before they send a photo."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backend.analyses.presentation.words import hours_words

#: The day of the last change in what people consent to. A test compares it with the text.
CONSENT_VERSION = "2026-11-30"

HEADING = _("Consent to the use of health data")
AGREEMENT = _("I consent to this use of my health data.")
_FACTS: tuple[tuple[Promise, Promise], ...] = (
    (_("What"), _("the photo and the signs seen in it, which are data about your health; your sex and age group")),
    (
        _("What for"),
        _("so that an AI can analyze the photo and show you the result, and for statistics that identify no one"),
    ),
    (
        _("How long"),
        _(
            "The photo is deleted after %(retention)s. The result and any opinions that you give on it stay at an "
            "address that only you know until you erase it. Sex, age group, type and severity also count in the "
            "statistics and are removed from them within a day after you erase the result."
        ),
    ),
    (_("If not"), _("You are free to refuse. Then we cannot analyze a photo.")),
)


@dataclass(frozen=True)
class ConsentFact:
    heading: str
    text: str


def consent_facts() -> list[ConsentFact]:
    """What is used, what for, how long, and what follows from a refusal."""
    retention = hours_words(settings.RETENTION_HOURS)
    return [ConsentFact(str(heading), str(text) % {"retention": retention}) for heading, text in _FACTS]
