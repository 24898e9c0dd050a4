"""The advice for each red flag, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backend.questions.red_flags import RedFlag


@dataclass(frozen=True)
class Advice:
    """What to do now, and Korean numbers to call: 119 for emergencies, 109 for thoughts of suicide."""

    heading: Promise
    text: Promise
    phones: tuple[str, ...] = ()


_SEE_A_DOCTOR = _("See a doctor now")
_GET_HELP = _("Get help now")

ADVICE: dict[RedFlag, Advice] = {
    RedFlag.LIFE: Advice(
        _("Please talk to someone now"),
        _(
            "What you write sounds very hard to bear. You do not have to carry it alone. Call 109 at any hour; it is "
            "free and confidential. In danger, call 119. If you can, stay with someone until then."
        ),
        ("109", "119"),
    ),
    RedFlag.BREATH: Advice(
        _GET_HELP,
        _(
            "Swelling of the face or trouble breathing after a dye or a product can become dangerous within minutes. "
            "Call 119 now, and rinse off what is still on the scalp with plenty of water."
        ),
        ("119",),
    ),
    RedFlag.BLEEDING: Advice(
        _GET_HELP,
        _(
            "Press a clean cloth firmly on it for ten minutes without lifting it. If it is still bleeding or you have"
            " lost a lot of blood, go to an emergency room or call 119."
        ),
        ("119",),
    ),
    RedFlag.INJURY: Advice(
        _GET_HELP,
        _(
            "Have a head injury checked by a doctor today. If there is vomiting, drowsiness, confusion, a severe "
            "headache or a gaping wound, call 119."
        ),
        ("119",),
    ),
    RedFlag.BURN: Advice(
        _SEE_A_DOCTOR,
        _(
            "Cool it under cool running water for twenty minutes, put no ice or cream on it, and see a doctor today. "
            "If the burn is large, blistered or from a chemical, go to an emergency room."
        ),
        ("119",),
    ),
    RedFlag.INFECTION: Advice(
        _SEE_A_DOCTOR,
        _(
            "Swelling, pus, spreading redness or a fever along with it may be an infection that should not wait. See "
            "a doctor today, or go to an emergency room at night or on holidays. Do not squeeze it."
        ),
        ("119",),
    ),
    RedFlag.BLISTERS: Advice(
        _SEE_A_DOCTOR,
        _(
            "Painful blisters on one side of the head should be seen by a doctor within a day or two, and today "
            "if they are near an eye or an ear."
        ),
    ),
    RedFlag.SUDDEN_LOSS: Advice(
        _SEE_A_DOCTOR,
        _(
            "Hair that falls out suddenly or in patches should be seen by a dermatologist soon, ideally this week. A "
            "photo here can’t tell you why it is happening."
        ),
    ),
    RedFlag.CHILD: Advice(
        _SEE_A_DOCTOR,
        _(
            "A child’s scalp should be looked at by a pediatrician or a dermatologist. This service is not for anyone"
            " under 14, and its answers are not meant for children."
        ),
    ),
}
