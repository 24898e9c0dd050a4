"""The six signs in sentences: how each looks in a photo, what it means, and what care fits its grade.

They inform: no sentence names a disease that somebody has, a cure or a drug.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ml.labels import SYMPTOMS, Abstention


@dataclass(frozen=True)
class Sign:
    """A short name for drawings; sentences for a sign that is seen and one that is not; its meaning; care by grade.

    `doctor_from` is the grade from which its care is to see a dermatologist, whatever else is or is not the case.
    """

    short: str | Promise
    seen: str | Promise
    unseen: str | Promise
    meaning: str | Promise
    mild: str | Promise
    moderate: str | Promise
    doctor_from: int = 3

    def care(self, grade: int, *, demo: bool) -> str:
        """What to do at home at this grade of 0 to 3; empty where there is nothing to do.

        Demo weights learned from drawings, and no real photographs support a grade of theirs: it sends nobody to a
        dermatologist. It points to the signs with which everybody should see one, which hold whatever a model says.
        """
        if demo and grade >= self.doctor_from:
            return str(GENTLE_CARE)
        return str(("", self.mild, self.moderate, SEVERE_CARE)[grade])


#: The same for all signs: what looks severe is for somebody who can see and touch the scalp.
SEVERE_CARE = _(
    "Have a dermatologist look at it soon. Until then, wash gently and don’t try anything new on your scalp."
)
GENTLE_CARE = _("For now, wash gently and don’t try anything new on your scalp. See below for when to see a doctor.")

#: Why a sign is not rated.
WITHHELD_REASONS: dict[Abstention, str | Promise] = {
    "unsure": _("The model was not sure enough about this photo."),
    "unfamiliar": _("This photo is unlike the ones used to calibrate this sign."),
    "unproven": _("This sign is not rated yet because no real photos have confirmed it."),
}

_SIGNS = (
    Sign(
        _("Scaling"),
        _("Thin, whitish scales are visible along the hairs and around the follicles."),
        _("No clear scaling is visible."),
        _("Fine scales come off when the outermost layer of skin dries out or renews itself faster than usual."),
        _("Wash with lukewarm water, rinse well, and do not scrape the scales off with your nails."),
        _("Use a mild shampoo, keep the hair dryer cool and away from the scalp, and take a new photo in two weeks."),
    ),
    Sign(
        _("Sebum"),
        _("Shiny sebum is visible around the follicles."),
        _("No marked sebum is visible."),
        _("Sebum protects the skin. A scalp that makes a lot of it looks wet and shiny soon after washing."),
        _("Wash once a day in the evening, and rinse until nothing feels slippery."),
        _("Skip wax and oil for a while, wash all the way down to the scalp, and dry it fully before you sleep."),
    ),
    Sign(
        _("Redness"),
        _("The skin between the follicles looks red."),
        _("The skin between the follicles does not look clearly red."),
        _("More blood flows through irritated skin, for example after heat, scratching, sun or a product."),
        _("Stop using anything new on your scalp for a while, and wash with lukewarm water instead of hot."),
        _("Put off dyes and perms, keep the sun off your part, and see a doctor if it lasts two weeks."),
    ),
    Sign(
        _("Pustules"),
        _("Redness or small pustules are visible around the follicles."),
        _("No clear redness or pustules are visible around the follicles."),
        _("The opening of a follicle can become irritated and red, sometimes with a small whitish head."),
        _("Do not press or scratch them, wash gently, and keep hats and pillowcases clean."),
        _("Do not press them. If they hurt, spread or last a week, have a dermatologist look at them."),
    ),
    Sign(
        _("Dandruff"),
        _("Flakes of dandruff are visible on the scalp or the hair."),
        _("No clear flakes of dandruff are visible."),
        _("Dandruff is skin that comes off in larger flakes. It is common, and often comes and goes with the season."),
        _("Wash regularly, massage with your fingertips, and rinse for longer than you lather."),
        _("Wash daily for a while with a mild shampoo. If it itches or lasts a month, ask a dermatologist."),
    ),
    Sign(
        _("Hair loss"),
        _("The hair looks sparse or thin, and empty follicles are visible."),
        _("The hair does not look clearly sparse."),
        _("Fewer hairs grow from the same area, or they are thinner. One close-up shows only one spot of the scalp."),
        _("Take a photo of the same spot in the same light once a month so that you can compare."),
        _(
            "Loosen anything that pulls on your hair, and have a dermatologist look at it: it is easier to judge "
            "early on."
        ),
        doctor_from=2,
    ),
)

#: By the key of the symptom, in the order of `SYMPTOMS`.
SIGNS: dict[str, Sign] = {symptom.key: sign for symptom, sign in zip(SYMPTOMS, _SIGNS, strict=True)}
