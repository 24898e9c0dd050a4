"""Which product fits what was seen, how well, and when a doctor comes before all of them.

Pure Python. A sign that is not rated speaks for no product; but where a product is to be avoided with it, it may be
there, and so that product is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ml.labels import SCALP_TYPES, SYMPTOMS

TYPES = tuple(label.key for label in SCALP_TYPES)
SIGNS = tuple(label.key for label in SYMPTOMS)
SEVERE = 3
#: From this grade on a sign is a doctor's, as the report says of it: no product is suggested for it.
DOCTOR_FROM = dict.fromkeys(SIGNS, SEVERE) | {"follicular_erythema_pustules": 2, "hair_loss": 2}
#: The signs that a type is made of. Where one of them is a doctor's, so is the type.
SIGNS_OF_TYPE: dict[str, tuple[str, ...]] = {
    "dry": ("fine_scaling",),
    "oily": ("excess_sebum",),
    "seborrheic": ("excess_sebum", "interfollicular_erythema"),
    "sensitive": ("interfollicular_erythema",),
    "inflamed": ("follicular_erythema_pustules",),
    "dandruff": ("dandruff",),
    "hair_loss": ("hair_loss",),
}
#: What a match with the type counts; one with a sign counts its grade, so that both weigh the same at grade 2.
TYPE_WEIGHT = 2.0


@dataclass(frozen=True)
class Uses:
    """Types and signs that a product suits, and those with which it is to be avoided, by their keys."""

    types: frozenset[str] = frozenset()
    signs: frozenset[str] = frozenset()
    avoid_types: frozenset[str] = frozenset()
    avoid_signs: frozenset[str] = frozenset()

    @property
    def contradicts(self) -> bool:
        """Whether it is to be avoided with what it suits."""
        return bool(self.types & self.avoid_types or self.signs & self.avoid_signs)

    @property
    def suits_something(self) -> bool:
        return bool(self.types or self.signs)


@dataclass(frozen=True)
class Seen:
    """A report to the rules: the type, None where it is open, and grades, None where a sign is not rated.

    `demo` says that the grades are those of demo weights.
    """

    skin: str | None
    grades: Mapping[str, int | None]
    demo: bool = False

    @property
    def found(self) -> dict[str, int]:
        """The signs that are there, by grade."""
        return {sign: grade for sign, grade in self.grades.items() if grade}

    @property
    def without_product(self) -> tuple[str, ...]:
        """The signs that are too marked for a product, most marked first."""
        signs = [sign for sign, grade in self.found.items() if grade >= DOCTOR_FROM[sign]]
        return tuple(sorted(signs, key=self.found.__getitem__, reverse=True))

    @property
    def for_doctor(self) -> tuple[str, ...]:
        """Those of them that a doctor should look at first.

        None of demo weights: no real photographs support their grades, so these send nobody to a doctor, as in the
        report. They are no reason to sell anything either.
        """
        return () if self.demo else self.without_product

    @property
    def severe(self) -> bool:
        """Whether to try nothing new on the scalp for now, as the report says of a severe sign."""
        return SEVERE in self.found.values()


@dataclass(frozen=True)
class Fit:
    """Why a product is suggested: the type and the signs that it suits, most marked first; `score` is over 0 to 1."""

    score: float
    skin: str | None
    signs: tuple[str, ...]


def fit(uses: Uses, seen: Seen) -> Fit | None:
    """How a product with these uses fits; None where it does not, or where nothing new should be tried."""
    if seen.severe or _avoided(uses, seen):
        return None
    known = {sign: grade for sign, grade in seen.found.items() if sign not in seen.without_product}
    skin = None if seen.skin and set(SIGNS_OF_TYPE.get(seen.skin, ())) & set(seen.without_product) else seen.skin
    matched = {sign: grade for sign, grade in known.items() if sign in uses.signs}
    suits_type = skin in uses.types
    if not matched and not suits_type:
        return None
    score = (TYPE_WEIGHT * suits_type + sum(matched.values())) / (TYPE_WEIGHT * bool(skin) + sum(known.values()))
    return Fit(score, skin if suits_type else None, tuple(sorted(matched, key=matched.__getitem__, reverse=True)))


def _avoided(uses: Uses, seen: Seen) -> bool:
    if uses.avoid_types and (seen.skin is None or seen.skin in uses.avoid_types):
        return True
    return any(seen.grades[sign] != 0 for sign in uses.avoid_signs)
