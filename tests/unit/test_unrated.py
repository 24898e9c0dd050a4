"""Signs that are not rated: whatever the six findings are, every reader treats what is withheld in the same way."""

from __future__ import annotations

import html
from collections.abc import Sequence

import pytest
from django.test import Client
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from backend.analyses.models import Abstention as Choice
from backend.analyses.models import Human, Share
from backend.analyses.pages.report import MAX_FULL_NAMES, Report
from backend.analyses.pages.signs import GENTLE_CARE, SEVERE_CARE, SIGNS, WITHHELD_REASONS
from backend.analyses.results import Grade, Result, type_and_degree
from backend.analyses.services.sharing import share_create
from backend.products.selectors.suggestions import report_facts
from backend.questions.selectors.context import report_signs
from ml.labels import ABSTENTIONS, SCALP_TYPES, SYMPTOMS, Abstention, counted_grade, deciding_unrated, scalp_type
from tests.support.visitors import finish, sent

KEYS = [symptom.key for symptom in SYMPTOMS]
DEGREES = ("<em>mild</em>", "<em>moderate</em>", "<em>severe</em>")

GRADES = st.tuples(*[st.integers(0, 3)] * 6)
REASONS = st.tuples(*[st.sampled_from((None, None, *ABSTENTIONS))] * 6)


def counted(grades: Sequence[int], reasons: Sequence[Abstention | None]) -> list[int]:
    return [counted_grade(grade, reason) for grade, reason in zip(grades, reasons, strict=True)]


def result(grades: Sequence[int], reasons: Sequence[Abstention | None], *, demo: bool = False) -> Result:
    """A result as a worker writes it, without its rows."""
    findings = tuple(
        Grade(key, grade, (0.25, 0.25, 0.25, 0.25), 0.9, reason)
        for key, grade, reason in zip(KEYS, grades, reasons, strict=True)
    )
    skin, pred = type_and_degree(findings)
    return Result(skin=skin, pred=pred, findings=findings, bundle="b@1", demo=demo)


def test_the_reasons_of_rows_and_of_models_are_the_same() -> None:
    assert set(Choice.values) == set(ABSTENTIONS) == set(WITHHELD_REASONS)


@given(GRADES, REASONS, GRADES)
def test_no_unsupported_grade_changes_type_or_degree(
    grades: Sequence[int], reasons: Sequence[Abstention | None], others: Sequence[int]
) -> None:
    changed = [
        other if reason in ("unproven", "unfamiliar") else grade
        for grade, reason, other in zip(grades, reasons, others, strict=True)
    ]
    assert scalp_type(counted(changed, reasons)) == scalp_type(counted(grades, reasons))


@given(GRADES, REASONS)
def test_the_type_is_open_where_an_unrated_sign_would_decide_it(
    grades: Sequence[int], reasons: Sequence[Abstention | None]
) -> None:
    degree = max(counted(grades, reasons))
    expected = [n for n in range(6) if reasons[n] and grades[n] > 0 and grades[n] >= degree]
    assert list(deciding_unrated(grades, reasons)) == expected
    told = result(grades, reasons)
    assert list(told.open_signs) == [KEYS[n] for n in expected]
    assert told.open == (bool(expected) or (degree == 0 and sum(map(bool, reasons)) >= 4))


def named(told: Result, language: str) -> list[str]:
    """What the first sentence has to name while the type is open."""
    keys = [] if not told.open else told.open_signs or [one.symptom for one in told.findings if one.abstains]
    if len(keys) > MAX_FULL_NAMES:
        return [str(SIGNS[key].short).lower() for key in keys]
    return [getattr(symptom, language).lower() for symptom in SYMPTOMS if symptom.key in keys]


@given(GRADES, REASONS)
def test_the_first_sentence_says_a_type_or_why_there_is_none(
    grades: Sequence[int], reasons: Sequence[Abstention | None]
) -> None:
    told = result(grades, reasons)
    with override("en"):
        sentence = Report(told).sentence
        claims = [label.english for label in SCALP_TYPES if f"<em>{label.english.lower()}</em>" in sentence]
        if all(reasons):
            assert "None of the six signs could be rated" in sentence
        elif told.open:
            assert "The scalp type is <em>not determined</em>" in sentence
            assert all(name in sentence for name in named(told, "english"))
        assert bool(claims) is not told.open
        assert any(degree in sentence for degree in DEGREES) is (not told.open and max(counted(grades, reasons)) > 0)
    with override("ko"):
        sentence = Report(told).sentence
        assert ("<em>정하지 못했어요</em>" in sentence or "여섯 징후를 모두" in sentence) is told.open
        assert all(reasons) or all(name in sentence for name in named(told, "korean"))


@given(GRADES, REASONS)
def test_no_scalp_is_good_of_which_most_signs_were_withheld(
    grades: Sequence[int], reasons: Sequence[Abstention | None]
) -> None:
    told = result(grades, reasons)
    if sum(map(bool, reasons)) >= 4:
        for language, word in (("en", "<em>good</em>"), ("ko", "양호")):
            with override(language):
                assert word not in Report(told).sentence


@given(GRADES, REASONS, st.booleans())
def test_every_reader_leaves_out_what_is_withheld(
    grades: Sequence[int], reasons: Sequence[Abstention | None], demo: bool
) -> None:
    told = result(grades, reasons, demo=demo)
    unrated = {key for key, reason in zip(KEYS, reasons, strict=True) if reason}
    with override("en"):
        report = Report(told)
        for sign in report.signs:
            assert (sign.grade is None) == (sign.key in unrated) == bool(sign.why)
            assert not (sign.why and (sign.care or sign.confidence or sign.clue))
        assert [sign.why for sign in sorted(report.signs, key=lambda sign: KEYS.index(sign.key))] == [
            str(WITHHELD_REASONS[reason]) if reason else "" for reason in reasons
        ]
        assert [hair.number == "?" for hair in report.spectrum.hairs] == [bool(reason) for reason in reasons]
    seen = report_facts(told)
    assert not unrated & (seen.found.keys() | set(seen.for_doctor) | set(seen.without_product))
    assert (seen.skin is None) is told.open


@given(GRADES, REASONS, st.booleans())
def test_only_a_rated_grade_of_no_demo_sends_to_a_dermatologist(
    grades: Sequence[int], reasons: Sequence[Abstention | None], demo: bool
) -> None:
    told = result(grades, reasons, demo=demo)
    severe = any(grade == 3 and not reason for grade, reason in zip(grades, reasons, strict=True))
    with override("en"):
        report = Report(told)
        care = {sign.care for sign in report.signs}
        assert report.urges_doctor is (severe and not demo)
        assert (str(SEVERE_CARE) in care) is (severe and not demo)
        if demo:
            assert (str(GENTLE_CARE) in care) or not severe
            assert not any("dermatologist" in words for words in care if " if " not in f" {words.lower()}")
    assert not (demo and report_facts(told).for_doctor)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("reason", ABSTENTIONS)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_page_of_a_result_says_why_a_sign_is_not_rated(
    visitor: Client, reason: Abstention, language: str
) -> None:
    analysis = sent(visitor)
    finish(analysis, (0, 1, 0, 0, 0, 3), abstaining={5: reason}, demo=False)
    share_create(analysis)
    with override(language):
        why = html.escape(str(WITHHELD_REASONS[reason]))
        sentence = Report(result((0, 1, 0, 0, 0, 3), (None,) * 5 + (reason,))).sentence
    shared = Share.objects.get(analysis=analysis).pk
    for path in (f"/analyses/{analysis}/", f"/analyses/{analysis}/doctor/", f"/shared/{shared}/"):
        page = visitor.get(path, headers={"Accept-Language": language}).content.decode()
        assert page.count(why) == 1, path
        assert (sentence in page) is ("doctor" not in path)
        assert 'class="notice grave"' not in page


@pytest.mark.django_db(transaction=True)
def test_a_severe_grade_urges_a_doctor_unless_it_is_a_demo_s(visitor: Client) -> None:
    for demo in (True, False):
        analysis = sent(visitor)
        finish(analysis, (0, 1, 0, 0, 0, 3), demo=demo)
        page = visitor.get(f"/analyses/{analysis}/").content.decode()
        assert ("Have a dermatologist look" in page) is not demo
        assert page.lower().count("when to see a doctor") == (2 if demo else 1), (
            "what everybody is told, and the way to it"
        )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("reason", ABSTENTIONS)
def test_six_findings_and_a_human_are_written_whatever_was_withheld(visitor: Client, reason: Abstention) -> None:
    analysis = sent(visitor)
    told = finish(analysis, (3, 2, 1, 0, 1, 2), abstaining=dict.fromkeys(range(6), reason))
    assert [(one.grade, one.abstention) for one in told.findings] == [(n, reason) for n in (3, 2, 1, 0, 1, 2)]
    human = Human.objects.get(analysis=analysis)
    assert (human.skin, human.pred) == (("복합성", "중증") if reason == "unsure" else ("양호", "양호"))
    assert (told.rated, told.open) == (False, True)
    assert report_signs(analysis) == {}


@pytest.mark.django_db(transaction=True)
def test_questions_know_only_the_signs_that_were_rated(visitor: Client) -> None:
    analysis = sent(visitor)
    finish(analysis, (3, 1, 0, 0, 2, 1), abstaining={0: "unproven", 5: "unfamiliar"})
    assert report_signs(analysis) == {"dandruff": 2, "excess_sebum": 1}
