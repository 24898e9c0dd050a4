"""Why an analysis ended without a result, for its owner: what happened and what to do."""

from __future__ import annotations

from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Tip(StrEnum):
    """What to do differently in the next photo; `REASONS` says the same in a sentence."""

    MOVE_CLOSER = "move_closer"
    PART_HAIR = "part_hair"
    MORE_LIGHT = "more_light"
    LESS_LIGHT = "less_light"
    HOLD_STILL = "hold_still"


#: What helps after a rejection, the most important first.
TIPS: dict[str, tuple[Tip, ...]] = {
    "not_a_scalp": (Tip.PART_HAIR, Tip.MOVE_CLOSER),
    "too_far": (Tip.PART_HAIR, Tip.MOVE_CLOSER),
    "too_dark": (Tip.MORE_LIGHT,),
    "too_bright": (Tip.LESS_LIGHT,),
    "too_blurred": (Tip.HOLD_STILL,),
}

#: Reasons to reject a photo. All others are failures.
REJECTIONS = tuple(TIPS)

REASONS: dict[str, str | Promise] = {
    "not_a_scalp": _(
        "The models found no skin and hair roots from close up in this photo. Part the hair, move closer until skin "
        "and roots fill the picture, and send a new photo."
    ),
    "too_far": _(
        "The photo shows a scalp or a head, but from too far away to see skin and roots. Part the hair, move closer "
        "until skin fills the picture, and send a new photo."
    ),
    "too_dark": _(
        "The photo is too dark to see the scalp. Take it in good light or with the scope’s light on, and send a new "
        "photo."
    ),
    "too_bright": _(
        "The photo is too bright to see the scalp. Stay out of direct light or hold the light a little farther away, "
        "and send a new photo."
    ),
    "too_blurred": _(
        "The photo is out of focus, so skin and roots cannot be seen. Hold still until the picture is sharp, and send "
        "a new photo."
    ),
    "attempts_exhausted": _(
        "We tried several times and could not finish. This is our fault, not your photo’s. Please try again."
    ),
    "model_error": _("The models could not analyze this photo. This is our fault. Please try again."),
    "out_of_memory": _("There was not enough memory for this photo. This is our fault. Please try again later."),
    "photo_unreadable": _("The stored photo could not be read. Please try again or send the photo again."),
    "waited_too_long": _("The photo waited longer than we keep photos, so it was deleted. Please send it again."),
}

#: `internal_error` is what a worker reports that knows nothing better.
FAILURES = tuple(code for code in (*REASONS, "internal_error") if code not in REJECTIONS)


def reason_text(code: str) -> str | Promise:
    return REASONS.get(code, _("Something went wrong on our side. Please try again."))
