"""What may be said about a photo, over all combinations of probabilities."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.analyses.grades import Grade
from backend.analyses.judgment import (
    CREDIBLE,
    GOOD,
    MODERATE,
    SEVERE,
    TOO_MANY_UNRATED,
    Certainty,
    Judgment,
    SignJudgment,
    SignState,
    Urgency,
    credible_pair,
    judge,
)  # fmt: skip
from ml.labels import ABSTENTIONS, SCALP_TYPES, SYMPTOMS, Abstention, scalp_type

KEYS = [symptom.key for symptom in SYMPTOMS]
TYPE_KEYS = {label.korean: label.key for label in SCALP_TYPES}
#: All ways to share out a probability of 1 over four grades in steps of this.
STEPS = 20
SHARES = tuple(
    (a / STEPS, b / STEPS, c / STEPS, (STEPS - a - b - c) / STEPS)
    for a in range(STEPS + 1)
    for b in range(STEPS + 1 - a)
    for c in range(STEPS + 1 - a - b)
)
REASONS: tuple[Abstention | None, ...] = (None, *ABSTENTIONS)

#: One example of each thing that can be known about a sign: four grades, three pairs, and that it may be
#: anything.
KNOWN: tuple[tuple[tuple[float, float, float, float], Abstention | None], ...] = (
    ((1, 0, 0, 0), None), ((0, 1, 0, 0), None), ((0, 0, 1, 0), None), ((0, 0, 0, 1), None),
    ((0.5, 0.5, 0, 0), "unsure"), ((0, 0.5, 0.5, 0), "unsure"), ((0, 0, 0.5, 0.5), "unsure"),
    ((0.25, 0.25, 0.25, 0.25), "unsure"),
)  # fmt: skip


def graded(symptom: str, probabilities: Sequence[float], reason: Abstention | None) -> Grade:
    a, b, c, d = probabilities
    grade = max(range(4), key=probabilities.__getitem__)
    return Grade(symptom, grade, (a, b, c, d), confidence=max(probabilities), abstention=reason)


def judged(
    signs: Sequence[tuple[Sequence[float], Abstention | None]], *, demo: bool = False
) -> tuple[list[Grade], Judgment]:
    grades = [graded(key, *sign) for key, sign in zip(KEYS, signs, strict=True)]
    return grades, judge(grades, demo=demo)


def one_sign(place: int, probabilities: Sequence[float], reason: Abstention | None) -> SignJudgment:
    """The judgment of one sign beside five absent ones."""
    signs: list[tuple[Sequence[float], Abstention | None]] = [((1, 0, 0, 0), None)] * 6
    signs[place] = (probabilities, reason)
    return judged(signs)[1].signs[place]


def test_every_sign_is_judged_by_its_probabilities_and_nothing_else() -> None:
    checked = 0
    for shares, reason in itertools.product(SHARES, REASONS):
        sign = one_sign(checked % 6, shares, reason)
        checked += 1
        likeliest = max(range(4), key=shares.__getitem__)
        if reason is None:
            assert (sign.lowest, sign.highest) == (likeliest, likeliest)
            assert sign.state == (SignState.RATED if likeliest else SignState.ABSENT)
        elif sign.state == SignState.BETWEEN:
            assert reason == "unsure"
            assert sign.possible == (sign.lowest, sign.highest)
            assert sum(shares[grade] for grade in sign.possible) >= CREDIBLE - 1e-9
            assert likeliest in sign.possible
        else:
            assert (sign.state, sign.lowest, sign.highest, sign.reason) == (SignState.UNRATED, None, None, reason)
            assert sign.possible == tuple(range(likeliest + 1 if reason == "unproven" else 4))
            if reason == "unsure":
                assert all(shares[n] + shares[n + 1] < CREDIBLE for n in range(3)), "two neighbors would have done"
        if reason in (None, "unsure") and shares[2] + shares[3] >= CREDIBLE:
            assert sign.lowest is not None, "at least moderate, so it is not hidden"
            assert sign.lowest >= MODERATE
    assert checked == len(SHARES) * len(REASONS) == 7084


def test_no_two_parts_of_a_judgment_contradict_each_other() -> None:
    checked = 0
    for signs in itertools.product(KNOWN, repeat=6):
        grades, judgment = judged(signs)
        consistent(grades, judgment)
        checked += 1
    assert checked == len(KNOWN) ** 6 == 262_144


def consistent(grades: Sequence[Grade], judgment: Judgment) -> None:
    signs, type_, degree = judgment.signs, judgment.type, judgment.degree
    unrated = sum(sign.state == SignState.UNRATED for sign in signs)
    seen = [sign for sign in signs if sign.seen]
    unknown = type_.certainty == Certainty.UNKNOWN
    assert unknown == (degree.certainty == Certainty.UNKNOWN) == (degree.lowest is None) == (not type_.possible)
    assert unknown == (unrated == 6 or (unrated >= TOO_MANY_UNRATED and not seen))
    assert not (judgment.good and (unrated >= TOO_MANY_UNRATED or seen)), "good, though most signs were not rated"
    if degree.lowest is not None and degree.highest is not None:
        assert degree.lowest == max((sign.lowest or 0) for sign in signs), "no sign hides, and none is made up"
        assert degree.highest >= max((sign.highest or 0) for sign in signs)
        assert (degree.certainty == Certainty.CERTAIN) == (degree.lowest == degree.highest)
        assert ("good" in type_.possible) == (degree.lowest == GOOD)
    if judgment.certain:
        skin, _pred = scalp_type([sign.possible[0] for sign in signs])
        assert type_.possible == (TYPE_KEYS[skin],)
        assert scalp_type([grade.grade if grade.abstention in (None, "unsure") else 0 for grade in grades])[0] == skin
    assert (judgment.urgency == Urgency.NONE) == (not any(sign.advised_grade for sign in signs))
    if any(sign.symptom == "hair_loss" and sign.lowest == SEVERE for sign in signs):
        assert judgment.urgency == Urgency.SOON


@given(st.lists(st.tuples(st.sampled_from(SHARES), st.sampled_from(REASONS)), min_size=6, max_size=6))
def test_what_is_open_has_signs_that_leave_it_open(
    signs: list[tuple[Sequence[float], Abstention | None]],
) -> None:
    grades, judgment = judged(signs)
    consistent(grades, judgment)
    assert bool(judgment.deciding_signs) is not judgment.certain
    by_key = {sign.symptom: sign for sign in judgment.signs}
    for key in judgment.deciding_signs:
        assert by_key[key].lowest is None or by_key[key].lowest != by_key[key].highest
    settled = [
        (shares, None) if key in judgment.deciding_signs else (shares, reason)
        for key, (shares, reason) in zip(KEYS, signs, strict=True)
    ]
    others = len(judged(settled)[1].type.possible)
    assert not judgment.type.possible or others <= len(judgment.type.possible)


@given(st.lists(st.tuples(st.sampled_from(SHARES), st.sampled_from(REASONS)), min_size=6, max_size=6))
def test_a_demo_asks_for_nothing_and_says_the_rest_alike(
    signs: list[tuple[Sequence[float], Abstention | None]],
) -> None:
    (_grades, demo), (_same, real) = judged(signs, demo=True), judged(signs)
    assert demo.urgency == Urgency.NONE
    assert (demo.signs, demo.type, demo.degree) == (real.signs, real.type, real.degree)


def test_urgency_never_falls_when_a_sign_gets_worse() -> None:
    order = list(Urgency)
    for place in range(6):
        asked = [order.index(one_sign(place, KNOWN[grade][0], None).urgency) for grade in range(4)]
        assert asked == sorted(asked)
        assert asked[0] == 0 < asked[1]


def test_of_pairs_that_are_likely_enough_the_upper_one_is_stated() -> None:
    assert credible_pair((0, 0.06, 0.9, 0.04)) == (2, 3)
    assert credible_pair((0.45, 0.45, 0.05, 0.05)) == (0, 1)
    assert credible_pair((0.05, 0.3, 0.35, 0.3)) is None


def test_grades_of_other_symptoms_are_refused() -> None:
    with pytest.raises(ValueError, match="one grade per symptom"):
        judge([graded("dandruff", (1, 0, 0, 0), None)] * 6, demo=False)
