"""Why something is suggested, in the reader's language: for the pages and for phones."""

from __future__ import annotations

from django.utils.translation import gettext, ngettext

from backend.analyses.pages.words import label_word
from backend.products.models import Product
from backend.products.rules import Fit, Seen
from ml.labels import GRADES, SCALP_TYPES, SYMPTOMS

_TYPES = {label.key: label for label in SCALP_TYPES}
_SIGNS = {label.key: label for label in SYMPTOMS}


def why_words(fit: Fit, seen: Seen) -> str:
    """The type and the signs for which it was chosen."""
    signs = ", ".join(f"{label_word(_SIGNS[sign])} ({_grade(seen.found[sign])})" for sign in fit.signs)
    skin = label_word(_TYPES[fit.skin]).lower() if fit.skin else ""
    if skin and signs:
        said = gettext("Chosen for the %(type)s scalp type and for what was seen: %(signs)s.")
    elif skin:
        said = gettext("Chosen for the %(type)s scalp type.")
    else:
        said = gettext("Chosen for what was seen: %(signs)s.")
    return said % {"type": skin, "signs": signs}


def doctor_words(seen: Seen) -> str:
    """Why a doctor comes first, and what that means for products; empty where none has to."""
    signs = seen.for_doctor
    if not signs:
        return ""
    names = ", ".join(f"{label_word(_SIGNS[sign])} ({_grade(seen.found[sign])})" for sign in signs)
    said = gettext("See a dermatologist first: %(signs)s.") % {"signs": names}
    if seen.severe:
        nothing = gettext(
            "Until then, wash gently and don’t try anything new on your scalp. That is why nothing is suggested here."
        )
        return f"{said} {nothing}"
    none_for = ngettext(
        "No product is suggested for that sign.", "No product is suggested for these signs.", len(signs)
    )
    return f"{said} {none_for}"


def avoid_words(product: Product) -> str:
    """What to avoid it with: in the maker's words, then the types and signs that the catalogue names."""
    uses = product.uses
    named = [label_word(label) for label in SCALP_TYPES if label.key in uses.avoid_types]
    named += [label_word(label) for label in SYMPTOMS if label.key in uses.avoid_signs]
    return " · ".join(filter(None, (product.said("avoid"), ", ".join(named))))


def suits_words(product: Product) -> str:
    """The types and signs that it suits."""
    uses = product.uses
    named = [label_word(label) for label in SCALP_TYPES if label.key in uses.types]
    named += [label_word(label) for label in SYMPTOMS if label.key in uses.signs]
    return ", ".join(named)


def _grade(grade: int) -> str:
    return label_word(GRADES[grade]).lower()
