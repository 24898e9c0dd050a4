"""What somebody is told who should not wait, in their language."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backend.questions.red_flags import RedFlag


@dataclass(frozen=True)
class Advice:
    """What to do now, and numbers to call, in Korea: 119 for emergencies, 109 for thoughts of suicide."""

    heading: Promise
    text: Promise
    phones: tuple[str, ...] = ()


_DOCTOR = _("See a doctor now")
_EMERGENCY = _("Get help now")

ADVICE: dict[RedFlag, Advice] = {
    RedFlag.LIFE: Advice(
        _("Please talk to somebody now"),
        _(
            "What you write sounds as if it is very hard to bear. You do not have to carry it alone. Call 109, at"
            " any hour, free and in confidence; in danger call 119. If you can, be with somebody until then."
        ),
        ("109", "119"),
    ),
    RedFlag.BREATH: Advice(
        _EMERGENCY,
        _(
            "Swelling of the face or trouble with breathing after a dye or a product can become dangerous within "
            "minutes. Call 119 now, and rinse off what is still on the scalp with plenty of water."
        ),
        ("119",),
    ),
    RedFlag.BLEEDING: Advice(
        _EMERGENCY,
        _(
            "Press a clean cloth firmly on it without lifting it for ten minutes. If it still bleeds, or much "
            "blood has been lost, go to an emergency room or call 119."
        ),
        ("119",),
    ),
    RedFlag.INJURY: Advice(
        _EMERGENCY,
        _(
            "Have an injury of the head looked at today. With vomiting, drowsiness, confusion, a strong headache "
            "or a wound that gapes, call 119."
        ),
        ("119",),
    ),
    RedFlag.BURN: Advice(
        _DOCTOR,
        _(
            "Cool it with running cool water for twenty minutes, put no ice or cream on it, and have a doctor "
            "look at it today. If it is large, blisters or comes from a chemical, go to an emergency room."
        ),
        ("119",),
    ),
    RedFlag.INFECTION: Advice(
        _DOCTOR,
        _(
            "Swelling, pus or redness that spreads, or a fever with it, may be an infection that should not wait."
            " See a doctor today; at night or on holidays, an emergency room. Do not squeeze it."
        ),
        ("119",),
    ),
    RedFlag.BLISTERS: Advice(
        _DOCTOR,
        _(
            "Painful blisters on one side of the head should be seen by a doctor within a day or two, and today "
            "if they are near an eye or an ear."
        ),
    ),
    RedFlag.SUDDEN_LOSS: Advice(
        _DOCTOR,
        _(
            "Hair that falls out suddenly or in patches should be seen by a dermatologist soon, best this week. A"
            " photo here can't tell why it does."
        ),
    ),
    RedFlag.CHILD: Advice(
        _DOCTOR,
        _(
            "A child's scalp should be looked at by a paediatrician or a dermatologist. This service looks at "
            "nobody below 14, and its answers are not meant for children."
        ),
    ),
}
