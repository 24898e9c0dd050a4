"""The advice for each red flag, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backend.questions.red_flags import RedFlag


@dataclass(frozen=True)
class Advice:
    """What to do now, and Korean numbers to call: 119 for emergencies, 109 for thoughts of suicide.

    `tiers`: how urgent it is, as keys of `backend.analyses.presentation.doctor_tiers.TIERS`, the usual case first.
    `interpretation`: how people who don't speak Korean get help. `is_crisis`: nothing but this help is offered.
    """

    heading: Promise
    text: Promise
    tiers: tuple[str, ...]
    phones: tuple[str, ...] = ()
    interpretation: Promise | None = None
    is_crisis: bool = False


# As of November 2026. National Fire Agency: 119 adds an interpreter to the call. Danuri Helpline, of the Ministry of
# Gender Equality and Family (https://www.k-guide.kr/ENG/1154/contents.do): crisis counseling and interpretation in 13
# languages, around the clock. The Immigration Contact Center, 1345, is not for crises and has few languages at night.
_INTERPRETERS_119 = _("If you don’t speak Korean, name your language when you call 119: an interpreter joins the call.")
_INTERPRETERS_LIFE = _(
    "109 is answered in Korean. If you speak another language, call the Danuri Helpline, 1577-1366: it offers crisis "
    "counseling in 13 languages, including English, at any hour. 119 can add an interpreter to the call."
)

_CALL_119 = _("Call 119 now")
_TODAY = _("See a doctor today")
_THIS_WEEK = _("See a dermatologist this week")

ADVICE: dict[RedFlag, Advice] = {
    RedFlag.LIFE: Advice(
        _("Please talk to someone now"),
        _(
            "What you write sounds very hard to bear. You do not have to carry it alone. Call 109 at any hour; it is "
            "free and confidential. In danger, call 119. If you can, stay with someone until then."
        ),
        tiers=("emergency",),
        phones=("109", "119", "1577-1366"),
        interpretation=_INTERPRETERS_LIFE,
        is_crisis=True,
    ),
    RedFlag.BREATH: Advice(
        _CALL_119,
        _(
            "Swelling of the face or trouble breathing after a dye or a product can become dangerous within minutes. "
            "Call 119 now, and rinse off what is still on the scalp with plenty of water."
        ),
        tiers=("emergency",),
        phones=("119",),
        interpretation=_INTERPRETERS_119,
        is_crisis=True,
    ),
    RedFlag.BLEEDING: Advice(
        _("Get help now"),
        _(
            "Press a clean cloth firmly on it for ten minutes without lifting it. If it is still bleeding then, or you "
            "have lost a lot of blood, call 119 now."
        ),
        tiers=("emergency",),
        phones=("119",),
        interpretation=_INTERPRETERS_119,
        is_crisis=True,
    ),
    RedFlag.INJURY: Advice(
        _("Get help now"),
        _(
            "Have a head injury checked by a doctor today. If there is vomiting, drowsiness, confusion, a severe "
            "headache or a gaping wound, call 119."
        ),
        tiers=("today", "emergency"),
        phones=("119",),
        interpretation=_INTERPRETERS_119,
        is_crisis=True,
    ),
    RedFlag.BURN: Advice(
        _TODAY,
        _(
            "Cool it under cool running water for twenty minutes, put no ice or cream on it, and see a doctor today. "
            "If the burn is large, blistered or from a chemical, go to an emergency room."
        ),
        tiers=("today",),
        phones=("119",),
        interpretation=_INTERPRETERS_119,
        is_crisis=True,
    ),
    RedFlag.INFECTION: Advice(
        _TODAY,
        _(
            "Swelling, pus, spreading redness or a fever along with it may be an infection that should not wait. See "
            "a doctor today, or go to an emergency room at night or on holidays. Do not squeeze it."
        ),
        tiers=("today",),
        phones=("119",),
        interpretation=_INTERPRETERS_119,
    ),
    RedFlag.BLISTERS: Advice(
        _TODAY,
        _(
            "Painful blisters on one side of the head should be seen by a doctor today, above all if they are near an "
            "eye or an ear. At night or on holidays, go to an emergency room."
        ),
        tiers=("today",),
    ),
    RedFlag.SUDDEN_LOSS: Advice(
        _THIS_WEEK,
        _(
            "Hair that falls out suddenly, in clumps or in patches should be seen by a dermatologist this week. A "
            "photo here can’t tell you why it is happening."
        ),
        tiers=("soon",),
    ),
    RedFlag.CHILD: Advice(
        _THIS_WEEK,
        _(
            "A child’s scalp should be seen by a pediatrician or a dermatologist this week. This service is not for "
            "anyone under 14, and its answers are not meant for children."
        ),
        tiers=("soon",),
    ),
}
