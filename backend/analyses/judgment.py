"""What may be said about a photo: six grades become one judgment.

Every page, answer, comparison and suggestion goes by it, so that no two of them contradict each other. The published
statistics do not: they count rows of `Human`. Pure Python.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from backend.analyses.grades import Grade
from ml.labels import GRADES, SCALP_TYPES, SYMPTOMS, TYPE_KEY_BY_WORD, Abstention, scalp_type

#: A range of grades is stated where it carries at least this probability.
CREDIBLE = 0.9
#: With this many of the six signs unrated, the others are too few to settle the scalp type or to call a scalp good.
TOO_MANY_UNRATED = 4

GOOD, MILD, MODERATE, SEVERE = range(len(GRADES))


class SignState(StrEnum):
    RATED = "rated"  #: one grade, mild or worse
    ABSENT = "absent"  #: rated good
    BETWEEN = "between"  #: one of two neighboring grades
    UNRATED = "unrated"  #: no grade may be shown


class Certainty(StrEnum):
    CERTAIN = "certain"
    OPEN = "open"  #: several answers are possible
    UNKNOWN = "unknown"  #: too little was rated to say anything


class Urgency(StrEnum):
    """What the grades ask for. A photo alone never asks for more than `SOON`; `TODAY` is for what people report."""

    NONE = "none"
    SELF_CARE = "self_care"
    SOON = "soon"
    TODAY = "today"


#: What each sign asks for when it is mild, moderate and severe. Oil, scales and flakes are common and usually yield to
#: care at home; severe redness or pustules, and hair loss from moderate on, are for a doctor to see.
_URGENCY: dict[str, tuple[Urgency, Urgency, Urgency]] = {
    "fine_scaling": (Urgency.SELF_CARE, Urgency.SELF_CARE, Urgency.SELF_CARE),
    "excess_sebum": (Urgency.SELF_CARE, Urgency.SELF_CARE, Urgency.SELF_CARE),
    "interfollicular_erythema": (Urgency.SELF_CARE, Urgency.SELF_CARE, Urgency.SOON),
    "follicular_erythema_pustules": (Urgency.SELF_CARE, Urgency.SELF_CARE, Urgency.SOON),
    "dandruff": (Urgency.SELF_CARE, Urgency.SELF_CARE, Urgency.SELF_CARE),
    "hair_loss": (Urgency.SELF_CARE, Urgency.SOON, Urgency.SOON),
}
_URGENCIES = tuple(Urgency)


@dataclass(frozen=True, slots=True)
class SignJudgment:
    """One sign: `lowest` and `highest` are the grades 0–3 that may be stated, both None where it is unrated.

    `possible` are the grades on which type and degree depend, of unrated signs too. `reason` says why it is unrated.
    """

    symptom: str
    state: SignState
    lowest: int | None
    highest: int | None
    possible: tuple[int, ...]
    reason: Abstention | None = None

    @property
    def seen(self) -> bool:
        """Whether the sign is there, whatever its grade."""
        return bool(self.lowest)

    @property
    def advised_grade(self) -> int:
        """The grade that advice goes by, 0 if none: of two grades the lower, but the higher if both are above mild."""
        if self.lowest is None or self.highest is None:
            return GOOD
        return self.highest if self.lowest >= MODERATE else self.lowest

    @property
    def urgency(self) -> Urgency:
        grade = self.advised_grade
        return _URGENCY[self.symptom][grade - 1] if grade else Urgency.NONE


@dataclass(frozen=True, slots=True)
class TypeJudgment:
    """The keys of the scalp types that are possible, in the order of `SCALP_TYPES`; none if the type is unknown."""

    certainty: Certainty
    possible: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DegreeJudgment:
    """The lowest and the highest degree that are possible, 0–3; both None if it is unknown."""

    certainty: Certainty
    lowest: int | None
    highest: int | None


@dataclass(frozen=True, slots=True)
class Judgment:
    """What may be said about one photo. `signs` are in the order of `SYMPTOMS`."""

    signs: tuple[SignJudgment, ...]
    type: TypeJudgment
    degree: DegreeJudgment
    urgency: Urgency
    demo: bool

    @property
    def certain(self) -> bool:
        """Whether one type and one degree are certain: only then is the result compared with others or built upon."""
        return self.type.certainty == self.degree.certainty == Certainty.CERTAIN

    @property
    def good(self) -> bool:
        """Whether the scalp may be called good."""
        return self.certain and self.degree.highest == GOOD

    @property
    def any_rated(self) -> bool:
        return any(sign.state != SignState.UNRATED for sign in self.signs)

    @property
    def urgent_signs(self) -> tuple[str, ...]:
        """The signs that a doctor should see soon, in the order of the symptoms; none if the models are a demo's."""
        if self.demo:
            return ()
        return tuple(sign.symptom for sign in self.signs if sign.urgency == Urgency.SOON)

    @property
    def deciding_signs(self) -> tuple[str, ...]:
        """The signs that leave type or degree uncertain, in the order of the symptoms: knowing one would narrow them.

        If none does by itself, these are all signs without a single grade.
        """
        if self.certain:
            return ()
        uncertain = [sign for sign in self.signs if sign.lowest is None or sign.lowest != sign.highest]
        return tuple(sign.symptom for sign in [sign for sign in uncertain if self._matters(sign)] or uncertain)

    def _matters(self, sign: SignJudgment) -> bool:
        """Whether one of the possible grades of this sign, if it were known, would leave fewer types or degrees."""
        sets = tuple(other.possible for other in self.signs)
        place = self.signs.index(sign)
        fixed = ((*sets[:place], (grade,), *sets[place + 1 :]) for grade in sign.possible)
        return any(_outcomes(one) != _outcomes(sets) for one in fixed)


def judge(grades: Sequence[Grade], *, demo: bool) -> Judgment:
    """The judgment of six grades in the order of `SYMPTOMS`. Raises ValueError for other symptoms.

    The models of a demo bundle have never been confirmed by a doctor's grades, so their results ask for nothing.
    """
    if tuple(grade.symptom for grade in grades) != tuple(symptom.key for symptom in SYMPTOMS):
        raise ValueError("expected one grade per symptom, in the order of SYMPTOMS")
    signs = tuple(_judge_sign(grade) for grade in grades)
    unrated = sum(sign.state == SignState.UNRATED for sign in signs)
    seen = any(sign.seen for sign in signs)
    if unrated == len(signs) or (unrated >= TOO_MANY_UNRATED and not seen):
        type_ = TypeJudgment(Certainty.UNKNOWN, ())
        degree = DegreeJudgment(Certainty.UNKNOWN, None, None)
    else:
        types, degrees = _outcomes(tuple(sign.possible for sign in signs))
        settled = len(types) == 1 and unrated < TOO_MANY_UNRATED
        type_ = TypeJudgment(Certainty.CERTAIN if settled else Certainty.OPEN, types)
        one = degrees[0] == degrees[-1]
        degree = DegreeJudgment(Certainty.CERTAIN if one else Certainty.OPEN, degrees[0], degrees[-1])
    urgency = max((sign.urgency for sign in signs), key=_URGENCIES.index)
    return Judgment(signs, type_, degree, Urgency.NONE if demo else urgency, demo)


def _judge_sign(grade: Grade) -> SignJudgment:
    if grade.abstention is None:
        state = SignState.RATED if grade.grade else SignState.ABSENT
        return SignJudgment(grade.symptom, state, grade.grade, grade.grade, (grade.grade,))
    if grade.abstention == "unsure" and (pair := credible_pair(grade.probabilities)):
        return SignJudgment(grade.symptom, SignState.BETWEEN, *pair, pair)
    # A grader that no real photo has confirmed may be right, or see what is not there. Of a photo that is unlike those
    # of its calibration, or in which it can't decide between three grades, it says nothing.
    likeliest = grade.grade if grade.abstention == "unproven" else SEVERE
    possible = tuple(range(likeliest + 1))
    return SignJudgment(grade.symptom, SignState.UNRATED, None, None, possible, grade.abstention)


def credible_pair(probabilities: Sequence[float]) -> tuple[int, int] | None:
    """The two neighboring grades that carry `CREDIBLE` of four probabilities; of several the uppermost.

    The uppermost, so that a sign that is at least moderate with that probability is never said to be possibly milder.
    """
    for lowest in reversed(range(len(GRADES) - 1)):
        # Probabilities are stored as floats: .45 + .45 must count as .9.
        if probabilities[lowest] + probabilities[lowest + 1] >= CREDIBLE - 1e-9:
            return lowest, lowest + 1
    return None


@lru_cache(maxsize=4096)
def _outcomes(possible: tuple[tuple[int, ...], ...]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The keys of the types and the degrees that six sets of possible grades allow, each in ascending order."""
    outcomes = set(map(_outcome, itertools.product(*possible)))
    types = {type_key for type_key, _degree in outcomes}
    degrees = {degree for _type_key, degree in outcomes}
    return tuple(label.key for label in SCALP_TYPES if label.key in types), tuple(sorted(degrees))


@lru_cache(maxsize=len(GRADES) ** len(SYMPTOMS))
def _outcome(grades: tuple[int, ...]) -> tuple[str, int]:
    """The key of the type, and the degree. There are only 4,096 sets of six grades."""
    skin, _pred = scalp_type(grades)
    return TYPE_KEY_BY_WORD[skin], max(grades)
