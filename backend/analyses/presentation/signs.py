"""The six signs in sentences: what each is, how each grade looks in a photo, what to do, and whom to see when.

They inform: no sentence says that the reader has a disease, or names a cure or a drug.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ml.labels import SYMPTOMS, Abstention


@dataclass(frozen=True)
class Stage:
    """One grade of a sign: what is seen, what to do at home, and whom to see when (empty: no visit for this alone)."""

    seen: str | Promise
    care: str | Promise
    doctor: str | Promise = ""


@dataclass(frozen=True)
class Sign:
    """A short name for drawings, which claims no more than the sign; a definition; and what is said of each grade."""

    short: str | Promise
    definition: str | Promise
    absent: str | Promise
    mild: Stage
    moderate: Stage
    severe: Stage

    def stage(self, grade: int) -> Stage:
        """The stage of grade 1 to 3."""
        return (self.mild, self.moderate, self.severe)[grade - 1]


#: Why a sign is not rated.
WITHHELD_REASONS: dict[Abstention, str | Promise] = {
    "unsure": _("This photo leaves open how pronounced the sign is."),
    "unfamiliar": _("This photo is unlike the ones used to calibrate this sign."),
    "unproven": _("This sign is not rated yet because no real photos have confirmed it."),
}

_SIGNS = (
    Sign(
        short=_("Scaling"),
        definition=_(
            "Fine scales are thin bits of the outermost layer of skin. They come off when the skin dries out or renews "
            "itself faster than usual."
        ),
        absent=_("No clear scaling is visible."),
        mild=Stage(
            _("A few thin, whitish scales are visible along the hairs or around the follicles."),
            _("Wash with lukewarm water, rinse well, and don’t scrape the scales off with your nails."),
        ),
        moderate=Stage(
            _("Thin, whitish scales are visible along many hairs and around the follicles."),
            _(
                "Use a mild shampoo, keep the hair dryer cool and away from the scalp, and take a new photo in two "
                "weeks."
            ),
            _("See a dermatologist if it hasn’t improved after four weeks of care."),
        ),
        severe=Stage(
            _("Thin, whitish scales cover much of the skin."),
            _("Use a mild shampoo, avoid hot water and scratching, and take a new photo in two weeks."),
            _("See a dermatologist if it hasn’t improved after two weeks of care."),
        ),
    ),
    Sign(
        short=_("Sebum"),
        definition=_(
            "Sebum is the oil that protects the skin. A scalp that makes a lot of it shines soon after washing."
        ),
        absent=_("No marked sebum is visible."),
        mild=Stage(
            _("A little shiny sebum is visible around the follicles."),
            _("Wash once a day in the evening, and rinse until nothing feels slippery."),
        ),
        moderate=Stage(
            _("Shiny sebum is visible around many follicles."),
            _("Skip wax and oil for a while, wash all the way down to the scalp, and dry it fully before you sleep."),
            _("See a dermatologist if it hasn’t improved after four weeks of care."),
        ),
        severe=Stage(
            _("Shiny sebum covers much of the skin."),
            _("Skip wax and oil, wash daily all the way down to the scalp, and take a new photo in two weeks."),
            _("See a dermatologist if it hasn’t improved after two weeks of care."),
        ),
    ),
    Sign(
        short=_("Redness"),
        definition=_(
            "Skin looks red when more blood flows through it, for example after heat, scratching, sun or a new product."
        ),
        absent=_("The skin between the follicles does not look clearly red."),
        mild=Stage(
            _("The skin between the follicles looks slightly red."),
            _("Stop using anything new on your scalp for a while, and wash with lukewarm water instead of hot."),
        ),
        moderate=Stage(
            _("The skin between the follicles looks clearly red."),
            _("Put off dyes and perms, keep the sun off your part, and wash with lukewarm water."),
            _("See a dermatologist if it lasts longer than two weeks."),
        ),
        severe=Stage(
            _("The skin between the follicles looks strongly red over much of the photo."),
            _("Wash gently, and don’t dye, perm or try anything new on your scalp."),
            _("See a dermatologist soon, and the same day if it is hot, swollen or spreading."),
        ),
    ),
    Sign(
        short=_("Follicles"),
        definition=_(
            "The opening of a follicle can become irritated: it turns red, and sometimes a small whitish head forms."
        ),
        absent=_("No clear redness or bumps are visible around the follicles."),
        mild=Stage(
            _("Slight redness or a few small bumps are visible around follicles."),
            _("Don’t press or scratch them, wash gently, and keep hats and pillowcases clean."),
            _("See a dermatologist if they hurt, spread or last longer than two weeks."),
        ),
        moderate=Stage(
            _("Redness or small bumps are visible around several follicles."),
            _("Don’t press or scratch them, wash gently, and avoid oil and wax on the scalp."),
            _("See a dermatologist if they hurt, spread or last longer than a week."),
        ),
        severe=Stage(
            _("Redness or bumps are visible around many follicles."),
            _("Don’t press or scratch them, wash gently, and don’t try anything new on your scalp."),
            _("See a dermatologist soon, and the same day if there is pus, swelling or a fever."),
        ),
    ),
    Sign(
        short=_("Dandruff"),
        definition=_(
            "Dandruff is skin that comes off in larger flakes. It is common, and often comes and goes with the season."
        ),
        absent=_("No clear flakes of dandruff are visible."),
        mild=Stage(
            _("A few flakes of dandruff are visible on the scalp or the hair."),
            _("Wash regularly, massage with your fingertips, and rinse for longer than you lather."),
        ),
        moderate=Stage(
            _("Flakes of dandruff are visible in many places on the scalp or the hair."),
            _("Wash daily for a while with a mild shampoo, and take a new photo in two weeks."),
            _("See a dermatologist if it itches or hasn’t improved after four weeks of care."),
        ),
        severe=Stage(
            _("Flakes of dandruff cover much of the scalp or the hair."),
            _("Wash daily for a while with a mild shampoo, and don’t scratch the flakes off."),
            _("See a dermatologist if it itches or hasn’t improved after two weeks of care."),
        ),
    ),
    Sign(
        short=_("Hair loss"),
        definition=_(
            "Hair looks thinner when fewer hairs grow in the same area or the hairs are finer. One close-up shows only "
            "one spot of the scalp."
        ),
        absent=_("The hair in this spot does not look sparse."),
        mild=Stage(
            _("The hair in this spot looks slightly sparse or fine."),
            _("Take a photo of the same spot in the same light once a month so that you can compare."),
        ),
        moderate=Stage(
            _("The hair in this spot looks clearly sparse or fine."),
            _("Avoid hairstyles that pull on the hair, and take a photo of the same spot once a month."),
            _("See a dermatologist in the next few weeks. Early changes are easier to assess."),
        ),
        severe=Stage(
            _("The hair in this spot looks very sparse, and much of the skin is bare."),
            _("Avoid hairstyles that pull on the hair, and keep the sun off bare skin."),
            _("See a dermatologist soon. Early changes are easier to assess."),
        ),
    ),
)

#: By the key of the symptom, in the order of `SYMPTOMS`.
SIGNS: dict[str, Sign] = {symptom.key: sign for symptom, sign in zip(SYMPTOMS, _SIGNS, strict=True)}
