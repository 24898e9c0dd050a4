"""The report: what it says of a result, and what it never says."""

from __future__ import annotations

import html

import pytest
from django.test import Client
from django.utils.translation import override

from backend.analyses.presentation.report import Report
from backend.analyses.presentation.signs import SIGNS
from backend.analyses.presentation.words import hours_words, seconds_words
from backend.analyses.services.attempt import analysis_claim, analysis_reject
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
        assert Report(result).sentence == "<em>지루성 두피</em>,<br>가장 뚜렷한 징후 <em>중등도</em>"
        assert [sign.name for sign in Report(result).signs][:3] == ["피지과다", "모낭사이홍반", "비듬"]
    with override("en"):
        assert "<em>Seborrheic scalp</em>" in Report(result).sentence


def test_a_report_whose_deciding_sign_is_not_rated_claims_no_degree(visitor: Client) -> None:
    result = finish(sent(visitor), (0, 0, 0, 0, 1, 3), abstaining=(5,))
    with override("en"):
        report = Report(result)
        assert report.plain_sentence == "Scalp type open, signs at least mild"
        assert "depend on hair loss" in report.lede
        assert (report.signs[-1].name, report.signs[-1].mark) == ("Hair loss", "?")


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
    assert page.count('id="sign-') == 6
    assert "1 sign not rated" in page
    assert "/erase/" not in page


def test_every_grade_of_every_sign_has_words_of_its_own() -> None:
    with override("en"):
        texts = [
            str(text)
            for sign in SIGNS.values()
            for stage in (sign.mild, sign.moderate, sign.severe)
            for text in (stage.seen, stage.care)
        ]
        assert len(set(texts)) == len(texts)
        for sign in SIGNS.values():
            assert "dermatologist" in str(sign.severe.doctor)
            assert not any(mark in str(sign.absent) for mark in (str(sign.mild.seen), str(sign.severe.seen)))


def test_an_absent_sign_is_not_described_as_there(visitor: Client) -> None:
    finish(analysis := sent(visitor), (0, 0, 0, 0, 0, 0), demo=False)
    page = visitor.get(f"/analyses/{analysis}/").content.decode()
    for sign in SIGNS.values():
        assert html.escape(str(sign.absent)) in page
        assert not any(html.escape(str(stage.seen)) in page for stage in (sign.mild, sign.moderate, sign.severe))


def test_what_is_not_rated_gets_no_grade_no_confidence_and_no_care(visitor: Client) -> None:
    analysis = sent(visitor)
    finish(analysis, (0, 0, 0, 0, 0, 2), abstaining=(5,))
    page = visitor.get(f"/analyses/{analysis}/").content.decode()
    row = page[page.index('id="sign-hair_loss"') :]
    row = row[: row.index("</dl>")]
    assert "1 sign not rated" in page
    assert "Hair loss · ?" in row
    assert "confidence" not in row
    assert "What you can do" not in row
