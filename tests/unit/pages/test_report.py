"""The report: what it says of a result, and what it never says."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils.translation import override

from backend.analyses.pages.report import Report
from backend.analyses.pages.words import hours_words, seconds_words
from backend.analyses.services.attempt import analysis_claim, analysis_reject
from ml.labels import SYMPTOMS
from tests.support.visitors import finish, sent

pytestmark = pytest.mark.django_db(transaction=True)


def test_demo_weights_are_spoken_of_and_others_are_not(visitor: Client) -> None:
    for demo in (True, False):
        analysis = sent(visitor)
        finish(analysis, (1, 0, 0, 0, 0, 0), demo=demo)
        refused = sent(visitor)
        claim = analysis_claim(refused, worker="model@test")
        assert claim
        analysis_reject(claim, "not_a_scalp", bundle="demo@1", demo=demo)
        for judged in (analysis, refused):
            assert ("Demo result." in visitor.get(f"/analyses/{judged}/").content.decode()) is demo


def test_the_report_speaks_the_words_of_the_vocabulary(visitor: Client) -> None:
    result = finish(sent(visitor), (0, 2, 2, 0, 1, 0))
    with override("ko"):
        assert Report(result).sentence == "<em>지루성</em> 두피로 보이고,<br>정도는 <em>중등도</em>예요"
        assert [sign.name for sign in Report(result).signs][:3] == ["피지과다", "모낭사이홍반", "비듬"]
    with override("en"):
        assert "<em>seborrheic</em>" in Report(result).sentence


def test_a_report_whose_deciding_sign_is_not_rated_claims_no_degree(visitor: Client) -> None:
    result = finish(sent(visitor), (0, 0, 0, 0, 1, 3), abstaining=(5,))
    with override("en"):
        report = Report(result)
        assert (
            report.sentence
            == "The scalp type is <em>not determined</em>:<br>hair loss could not be rated in this photo"
        )
        assert report.signs[-1].name == "Hair loss"
        assert report.signs[-1].grade is None


def test_a_report_that_can_say_nothing_says_that(visitor: Client) -> None:
    result = finish(sent(visitor), (1, 1, 1, 1, 1, 1), abstaining=tuple(range(6)))
    with override("en"):
        assert Report(result).sentence == "None of the six signs could be rated in this photo"


def test_times_are_said_as_ranges_and_periods_as_people_say_them() -> None:
    with override("en"):
        assert [seconds_words(seconds) for seconds in (1, 45, 7200)] == [
            "less than 10 seconds", "30 seconds to a minute", "more than half an hour",
        ]  # fmt: skip
        assert [hours_words(hours) for hours in (0.5, 1, 24, 72)] == ["30 minutes", "1 hour", "24 hours", "3 days"]


def test_the_sample_report_says_that_it_is_one(visitor: Client) -> None:
    page = visitor.get("/sample/").content.decode()
    assert "This is a sample." in page
    assert page.count('class="find ') == 6
    assert "Not rated" in page
    assert "/erase/" not in page


def test_care_grows_with_the_grade_and_what_is_severe_is_sent_to_a_doctor(visitor: Client) -> None:
    with override("en"):
        for number, symptom in enumerate(SYMPTOMS):
            care = []
            for grade in range(4):
                grades = tuple(grade if place == number else 0 for place in range(6))
                report = Report(finish(sent(visitor), grades, demo=False))
                sign = next(sign for sign in report.signs if sign.name == symptom.english)
                assert sign.meaning
                care.append(sign.care)
                assert report.urges_doctor is (grade == 3)
            assert care[0] == ""
            assert len(set(care)) == 4
            assert "dermatologist" in care[3]


def test_what_is_not_rated_gets_no_grade_no_confidence_and_no_care(visitor: Client) -> None:
    analysis = sent(visitor)
    finish(analysis, (0, 0, 0, 0, 0, 2), abstaining=(5,))
    page = visitor.get(f"/analyses/{analysis}/").content.decode()
    row = page[page.index('class="find kx"') :]
    row = row[: row.index("</li>")]
    assert "Not rated" in row
    assert 'class="on"' not in row
    assert "confidence" not in row
    assert "What you can do" not in row
