"""How to take a useful photo: pairs of a good and a bad one, drawn in frontend/templates/drawings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Pair:
    """A good and a bad photo that differ in one thing."""

    key: str
    name: str | Promise
    good: str | Promise
    bad: str | Promise

    @property
    def drawings(self) -> tuple[str, str]:
        """The templates of the good and the bad drawing."""
        return f"drawings/{self.key}-good.svg", f"drawings/{self.key}-bad.svg"


PAIRS = (
    Pair("distance", _("Distance"), _("Skin and roots fill the photo"), _("The whole head in the photo")),
    Pair("parting", _("Parting"), _("Hair parted, skin visible"), _("Hair over the skin")),
    Pair("light", _("Light"), _("Even and bright"), _("In shadow or too bright")),
    Pair("focus", _("Focus"), _("Hold still until it is sharp"), _("Shaky or blurred")),
)

#: The pairs that help, by the reason of a rejection.
_HELP: dict[str, tuple[str, ...]] = {
    "not_a_scalp": ("distance", "parting"),
    "too_far": ("distance",),
    "too_dark": ("light",),
    "too_bright": ("light",),
    "too_blurred": ("focus",),
}


def pairs_for(code: str) -> Sequence[Pair]:
    """The pairs that help after a rejection with this code; none for other ends."""
    return [pair for pair in PAIRS if pair.key in _HELP.get(code, ())]
