"""Signs that are not rated: whatever the six findings are, every reader treats what is withheld in the same way."""

from __future__ import annotations

import html
from collections.abc import Sequence

import pytest
from django.test import Client
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from backend.analyses.grades import Grade
from backend.analyses.models import Abstention as Choice
from backend.analyses.models import Human, Share
from backend.analyses.presentation.report import Report
from backend.analyses.presentation.signs import WITHHELD_REASONS
from backend.analyses.results import Result, type_and_degree
from backend.analyses.services.sharing import share_create
from backend.products.selectors.suggestions import report_facts
from backend.questions.selectors.context import report_signs
from ml.labels import ABSTENTIONS, SYMPTOMS, Abstention, counted_grade, scalp_type
from tests.support.visitors import finish, sent

KEYS = [symptom.key for symptom in SYMPTOMS]

#: From this grade on, a sign is for a dermatologist soon; the others never are for their grade alone.
SOON_FROM = {"interfollicular_erythema": 3, "follicular_erythema_pustules": 3, "hair_loss": 2}

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


@given(GRADES, REASONS, st.booleans())
def test_every_reader_leaves_out_what_is_withheld(
    grades: Sequence[int], reasons: Sequence[Abstention | None], demo: bool
) -> None:
    told = result(grades, reasons, demo=demo)
    unrated = {key for key, reason in zip(KEYS, reasons, strict=True) if reason}
    with override("en"):
        report = Report(told)
        for sign in report.signs:
            assert (sign.mark == "?") == (sign.key in unrated) == bool(sign.why)
            assert not (sign.why and (sign.care or sign.doctor or sign.confidence or sign.clue))
        assert [sign.why for sign in sorted(report.signs, key=lambda sign: KEYS.index(sign.key))] == [
            str(WITHHELD_REASONS[reason]) if reason else "" for reason in reasons
        ]
        assert [hair.mark == "?" for hair in report.spectrum.hairs] == [bool(reason) for reason in reasons]
    seen = report_facts(told)
    assert not unrated & (seen.found.keys() | set(seen.for_doctor) | set(seen.without_product))
    assert (seen.skin is None) is not told.judgment.certain


@given(GRADES, REASONS, st.booleans())
def test_only_a_rated_grade_of_no_demo_sends_to_a_dermatologist(
    grades: Sequence[int], reasons: Sequence[Abstention | None], demo: bool
) -> None:
    told = result(grades, reasons, demo=demo)
    soon = any(
        not reason and grade >= SOON_FROM.get(key, 4) for key, grade, reason in zip(KEYS, grades, reasons, strict=True)
    )
    with override("en"):
        report = Report(told)
        assert report.urges_doctor is (soon and not demo)
        assert not (demo and any(sign.doctor for sign in report.signs))
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
        assert "notice grave" not in page


@pytest.mark.django_db(transaction=True)
def test_a_severe_grade_urges_a_doctor_unless_it_is_a_demo_s(visitor: Client) -> None:
    for demo in (True, False):
        analysis = sent(visitor)
        finish(analysis, (0, 1, 0, 0, 0, 3), demo=demo)
        page = visitor.get(f"/analyses/{analysis}/").content.decode()
        assert ("See a dermatologist soon about hair loss." in page) is not demo
        assert ("notice grave" in page) is not demo
        assert "Call 119 now" in page, "which holds whatever a model says"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("reason", ABSTENTIONS)
def test_six_findings_and_a_human_are_written_whatever_was_withheld(visitor: Client, reason: Abstention) -> None:
    analysis = sent(visitor)
    told = finish(analysis, (3, 2, 1, 0, 1, 2), abstaining=dict.fromkeys(range(6), reason))
    assert [(one.grade, one.abstention) for one in told.findings] == [(n, reason) for n in (3, 2, 1, 0, 1, 2)]
    human = Human.objects.get(analysis=analysis)
    assert (human.skin, human.pred) == (("복합성", "중증") if reason == "unsure" else ("양호", "양호"))
    assert (told.judgment.any_rated, told.judgment.certain) == (False, False)
    assert report_signs(analysis) == {}


@pytest.mark.django_db(transaction=True)
def test_questions_know_only_the_signs_that_were_rated(visitor: Client) -> None:
    analysis = sent(visitor)
    finish(analysis, (3, 1, 0, 0, 2, 1), abstaining={0: "unproven", 5: "unfamiliar"})
    signs = report_signs(analysis)
    assert {key: sign.advised_grade for key, sign in signs.items()} == {"dandruff": 2, "excess_sebum": 1}
