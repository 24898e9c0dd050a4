"""The rules: which products fit a report, how well, and when to see a doctor first.

Pure Python. A sign that is not rated does not count toward any product, but since it may be present, products to be
avoided with it are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from backend.analyses.judgment import SignJudgment
from ml.labels import SCALP_TYPES, SYMPTOMS

TYPES = tuple(label.key for label in SCALP_TYPES)
SIGNS = tuple(label.key for label in SYMPTOMS)
SEVERE = 3
#: From this grade on, no product is suggested for a sign.
NO_PRODUCT_FROM = dict.fromkeys(SIGNS, SEVERE) | {"follicular_erythema_pustules": 2, "hair_loss": 2}
#: The signs that make a type. If no product is suggested for one of them, none is for the type.
SIGNS_OF_TYPE: dict[str, tuple[str, ...]] = {
    "dry": ("fine_scaling",),
    "oily": ("excess_sebum",),
    "seborrheic": ("excess_sebum", "interfollicular_erythema"),
    "sensitive": ("interfollicular_erythema",),
    "inflamed": ("follicular_erythema_pustules",),
    "dandruff": ("dandruff",),
    "hair_loss": ("hair_loss",),
}
#: The score of a match with the type. A match with a sign scores its grade, so both weigh the same at grade 2.
TYPE_WEIGHT = 2.0


@dataclass(frozen=True)
class Uses:
    """Keys of the types and signs that a product suits, and of those with which it is to be avoided."""

    types: frozenset[str] = frozenset()
    signs: frozenset[str] = frozenset()
    avoid_types: frozenset[str] = frozenset()
    avoid_signs: frozenset[str] = frozenset()

    @property
    def contradicts(self) -> bool:
        """Whether a type or sign is in both."""
        return bool(self.types & self.avoid_types or self.signs & self.avoid_signs)

    @property
    def suits_something(self) -> bool:
        return bool(self.types or self.signs)


@dataclass(frozen=True)
class ReportFacts:
    """What the rules need from a report: the type, None if it is open, and the judgment of each sign.

    `urgent`: the signs that a doctor should see soon.
    """

    skin: str | None
    signs: Mapping[str, SignJudgment]
    urgent: Collection[str] = ()

    @property
    def grades(self) -> dict[str, int | None]:
        """The grade of each sign by which to advise; None if it is not rated, or may be absent."""
        return {
            key: None if sign.lowest is None or (sign.highest and not sign.lowest) else sign.advised_grade
            for key, sign in self.signs.items()
        }

    @property
    def found(self) -> dict[str, int]:
        """The grades of the signs that are present."""
        return {sign: grade for sign, grade in self.grades.items() if grade}

    @property
    def without_product(self) -> tuple[str, ...]:
        """The signs that are too pronounced for a product, most pronounced first."""
        signs = [sign for sign, grade in self.found.items() if grade >= NO_PRODUCT_FROM[sign]]
        return tuple(sorted(signs, key=self.found.__getitem__, reverse=True))

    @property
    def for_doctor(self) -> tuple[str, ...]:
        """The signs that a doctor should see first, most pronounced first."""
        return tuple(sign for sign in self.without_product if sign in self.urgent)

    @property
    def severe(self) -> bool:
        """Whether a sign is severe, in which case the report advises against trying anything new."""
        return SEVERE in self.found.values()


@dataclass(frozen=True)
class Fit:
    """Why a product is suggested: the type and signs that it suits, most pronounced first; `score` is above 0 to 1."""

    score: float
    skin: str | None
    signs: tuple[str, ...]


def fit(uses: Uses, facts: ReportFacts) -> Fit | None:
    """How a product with these uses fits; None if it doesn't, or if nothing new should be tried."""
    if facts.severe or _must_avoid(uses, facts):
        return None
    treatable = {sign: grade for sign, grade in facts.found.items() if sign not in facts.without_product}
    too_pronounced = facts.skin and set(SIGNS_OF_TYPE.get(facts.skin, ())) & set(facts.without_product)
    skin = None if too_pronounced else facts.skin
    matched = {sign: grade for sign, grade in treatable.items() if sign in uses.signs}
    suits_type = skin in uses.types
    if not matched and not suits_type:
        return None
    best_score = TYPE_WEIGHT * bool(skin) + sum(treatable.values())
    score = (TYPE_WEIGHT * suits_type + sum(matched.values())) / best_score
    return Fit(score, skin if suits_type else None, tuple(sorted(matched, key=matched.__getitem__, reverse=True)))


def _must_avoid(uses: Uses, facts: ReportFacts) -> bool:
    if uses.avoid_types and (facts.skin is None or facts.skin in uses.avoid_types):
        return True
    return any(facts.grades[sign] != 0 for sign in uses.avoid_signs)
