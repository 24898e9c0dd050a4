"""What the owner of a report thinks of its grades."""

from __future__ import annotations

import uuid

import pytest
from django.http import HttpResponse
from django.test import Client

from backend.analyses.models import Feedback
from backend.analyses.services.control import analysis_erase
from tests.support.visitors import reported, sent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def report(visitor: Client) -> uuid.UUID:
    return reported(visitor)


def tell(visitor: Client, analysis: uuid.UUID, symptom: str = "dandruff", opinion: str = "less") -> HttpResponse:
    given = {"symptom": symptom, "opinion": opinion}
    return visitor.post(f"/analyses/{analysis}/feedback/", given, follow=True)


def test_an_opinion_is_stored_with_the_report_and_the_last_one_counts(visitor: Client, report: uuid.UUID) -> None:
    assert "Thank you." in tell(visitor, report).content.decode()
    tell(visitor, report, opinion="more")
    tell(visitor, report, symptom="hair_loss", opinion="right")
    stored = set(Feedback.objects.values_list("analysis", "symptom", "opinion"))
    assert stored == {(report, "dandruff", "more"), (report, "hair_loss", "right")}


@pytest.mark.parametrize(
    ("symptom", "opinion"), [("", "less"), ("dandruff", ""), ("scalp_gate", "less"), ("dandruff", "x")]
)
def test_an_opinion_that_says_nothing_is_not_stored(
    symptom: str, opinion: str, visitor: Client, report: uuid.UUID
) -> None:
    assert "Nothing was stored." in tell(visitor, report, symptom, opinion).content.decode()
    assert not Feedback.objects.exists()


def test_without_a_report_there_is_nothing_to_have_an_opinion_on(visitor: Client) -> None:
    assert tell(visitor, sent(visitor)).status_code == 409
    assert tell(visitor, uuid.uuid4()).status_code == 404
    assert not Feedback.objects.exists()


def test_an_opinion_is_erased_with_its_report(visitor: Client, report: uuid.UUID) -> None:
    tell(visitor, report)
    analysis_erase(report)
    assert not Feedback.objects.exists()
