"""The first sentences of a report, over all that can be known about six signs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import pytest
from django.utils.translation import override

from backend.analyses.judgment import Certainty, Judgment, SignState, Urgency
from backend.analyses.presentation.headline import headline, lede, next_action
from backend.analyses.presentation.report import Report
from backend.analyses.results import Result
from ml.labels import SCALP_TYPES, SYMPTOMS
from tests.unit.test_judgment import KNOWN, graded, judged

NAMES = {symptom.key: symptom.english for symptom in SYMPTOMS}
DEGREES = ("mild", "moderate", "severe")
#: Every 61st of the 262,144 combinations, which leaves no two signs in step.
STRIDE = 61


def combinations() -> Iterator[Sequence[tuple[Sequence[float], str | None]]]:
    yield from itertools.islice(itertools.product(KNOWN, repeat=6), 0, None, STRIDE)


def test_headline_and_lede_say_what_the_judgment_says() -> None:
    with override("en"):
        for signs in combinations():
            _grades, judgment = judged(signs)
            agree(judgment)


def agree(judgment: Judgment) -> None:
    first, then, action = headline(judgment), lede(judgment), next_action(judgment)
    named = [label for label in SCALP_TYPES if f"{label.english} scalp" in first]
    degrees = [degree for degree in DEGREES if f"<em>{degree}</em>" in first]
    assert ("fine" in first) == (judgment.good and all(sign.state == SignState.ABSENT for sign in judgment.signs))
    if named:
        assert judgment.type.certainty == Certainty.CERTAIN
        assert [label.key for label in named] == list(judgment.type.possible)
    if degrees and judgment.degree.certainty == Certainty.CERTAIN:
        assert judgment.degree.lowest == DEGREES.index(degrees[0]) + 1
        assert "at least" not in first
    elif degrees:
        assert judgment.degree.lowest == DEGREES.index(degrees[0]) + 1
        assert "at least" in first
    assert (judgment.degree.lowest or 0) < 2 or degrees, "at least moderate is never hidden"
    for sign in judgment.signs:
        if sign.seen:
            assert NAMES[sign.symptom] in then
        if sign.state == SignState.UNRATED and judgment.any_rated:
            assert f"Not rated: {NAMES[sign.symptom]}" in then or f", {NAMES[sign.symptom]}" in then
    unrated = any(sign.state == SignState.UNRATED for sign in judgment.signs)
    assert ("soon" in action) == (judgment.urgency == Urgency.SOON)
    assert "dermatologist" in action, "a worried reader knows where to go"
    if judgment.certain and judgment.urgency == Urgency.NONE and not unrated:
        assert action.startswith("Nothing to do")
    else:
        assert not action.startswith("Nothing to do")


def report(*signs: tuple[Sequence[float], str | None], demo: bool = False) -> Report:
    grades = tuple(graded(symptom.key, *sign) for symptom, sign in zip(SYMPTOMS, signs, strict=True))  # type: ignore[arg-type]
    return Report(Result(skin="", pred="", findings=grades, bundle="b@1", demo=demo))


ABSENT, MILD, MODERATE, SEVERE, UP_TO_MILD, MILD_UP, MODERATE_UP, ANYTHING = KNOWN


@pytest.mark.parametrize(
    ("signs", "english"),
    [
        ((ABSENT,) * 6, "This scalp looks fine in this photo"),
        ((ABSENT,) * 5 + (((1, 0, 0, 0), "unproven"),), "No clear signs in this photo"),
        ((ABSENT, MODERATE, ABSENT, ABSENT, ABSENT, ABSENT), "Oily scalp, one sign looks moderate"),
        ((ABSENT, MODERATE, ABSENT, ABSENT, MODERATE, ABSENT), "Combination scalp, some signs look moderate"),
        ((ABSENT, MODERATE_UP, ABSENT, ABSENT, ABSENT, ABSENT), "Oily scalp, signs at least moderate"),
        ((ABSENT, ABSENT, ABSENT, ABSENT, UP_TO_MILD, ABSENT), "Mild signs at most in this photo"),
        ((ABSENT,) * 5 + (ANYTHING,), "This photo leaves the result open"),
        ((ABSENT, MODERATE, ABSENT, ABSENT, MILD_UP, ABSENT), "Oily or combination scalp, one sign looks moderate"),
        ((ABSENT, MODERATE, ABSENT, ABSENT, ABSENT, ANYTHING), "Oily or combination scalp, signs at least moderate"),
        ((MILD, ANYTHING, ABSENT, ABSENT, ABSENT, ABSENT), "Scalp type open, signs at least mild"),
        ((ANYTHING,) * 5 + (SEVERE,), "Hair-loss or combination scalp, one sign looks severe"),
        ((ANYTHING,) * 4 + (ABSENT,) * 2, "Too few signs could be rated in this photo"),
        ((ANYTHING,) * 6, "None of the six signs could be rated in this photo"),
    ],
)
def test_headlines(signs: Sequence[tuple[Sequence[float], str | None]], english: str) -> None:
    with override("en"):
        assert report(*signs).plain_sentence == english
    with override("ko"):
        assert report(*signs).plain_sentence.isascii() is False


def test_a_range_is_shown_and_counts_for_advice() -> None:
    with override("en"):
        signs = {sign.key: sign for sign in report(ABSENT, ABSENT, ABSENT, MODERATE_UP, MILD_UP, ABSENT).signs}
    pustules, dandruff = signs["follicular_erythema_pustules"], signs["dandruff"]
    assert (pustules.mark, pustules.word, pustules.gauge) == ("2–3", "Moderate to severe", ["on", "on", "maybe"])
    assert "See a dermatologist soon" in pustules.doctor
    assert (dandruff.mark, dandruff.word, dandruff.gauge) == ("1–2", "Mild to moderate", ["on", "maybe", ""])
    assert dandruff.care
    assert not dandruff.doctor


def test_the_gauge_is_empty_for_an_absent_sign() -> None:
    assert all(sign.gauge == ["", "", ""] for sign in report(*(ABSENT,) * 6).signs)


def test_a_demo_says_nothing_of_confidence_or_doctors_beside_the_signs() -> None:
    with override("en"):
        shown = report(SEVERE, SEVERE, SEVERE, SEVERE, SEVERE, SEVERE, demo=True)
        assert not shown.urges_doctor
        assert not any(sign.confidence or sign.doctor for sign in shown.signs)
        assert all(sign.care for sign in shown.signs)
        assert "demo" in shown.action
