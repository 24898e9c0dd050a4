"""Texts about suggestions in the reader's language, for the pages and the API."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.utils.translation import gettext, ngettext

from backend.analyses.presentation.words import grade_word, label_word, sign_name, type_name
from backend.products.models import Product
from backend.products.rules import Fit, ReportFacts
from ml.labels import SCALP_TYPES, SYMPTOMS


def reason_text(fit: Fit, facts: ReportFacts) -> str:
    """The type and the signs for which a product was chosen."""
    signs = _list_signs(fit.signs, facts)
    skin = type_name(fit.skin).lower() if fit.skin else ""
    if skin and signs:
        text = gettext("Chosen for the %(type)s scalp type and for what was seen: %(signs)s.")
    elif skin:
        text = gettext("Chosen for the %(type)s scalp type.")
    else:
        text = gettext("Chosen for what was seen: %(signs)s.")
    return text % {"type": skin, "signs": signs}


def doctor_text(facts: ReportFacts) -> str:
    """Why to see a doctor first, and what that means for products; empty if not needed."""
    signs = facts.for_doctor
    if not signs:
        return ""
    text = gettext("See a dermatologist first: %(signs)s.") % {"signs": _list_signs(signs, facts)}
    if facts.severe:
        nothing = gettext(
            "Until then, wash gently and don’t try anything new on your scalp. That is why nothing is suggested here."
        )
        return f"{text} {nothing}"
    none_for = ngettext(
        "No product is suggested for that sign.", "No product is suggested for these signs.", len(signs)
    )
    return f"{text} {none_for}"


def avoid_lines(product: Product) -> list[str]:
    """When to avoid a product: the maker's text, then the types and the signs in the catalog."""
    return [
        *filter(None, [product.localized("avoid")]),
        *_list_uses(product.uses.avoid_types, product.uses.avoid_signs),
    ]


def avoid_text(product: Product) -> str:
    """The same in one line."""
    return " · ".join(avoid_lines(product))


def suits_lines(product: Product) -> list[str]:
    """The types and the signs that a product suits."""
    return _list_uses(product.uses.types, product.uses.signs)


def _list_uses(types: Collection[str], signs: Collection[str]) -> list[str]:
    """A line for types and one for signs, as some words are the name of both."""
    named = [
        (gettext("Scalp types: %(names)s"), [label_word(label) for label in SCALP_TYPES if label.key in types]),
        (gettext("Signs: %(names)s"), [label_word(label) for label in SYMPTOMS if label.key in signs]),
    ]
    return [text % {"names": ", ".join(names)} for text, names in named if names]


def _list_signs(signs: Iterable[str], facts: ReportFacts) -> str:
    """The signs with their grades."""
    return ", ".join(f"{sign_name(sign)} ({grade_word(facts.signs[sign]).lower()})" for sign in signs)
