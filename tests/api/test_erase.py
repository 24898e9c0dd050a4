"""DELETE /api/v1/analyses/{id}/"""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from backend.analyses.models import Analysis, Erasure, Finding, Human
from tests.api.contract import ContractClient, address
from tests.support.analyses import IN_STATUS, succeeded

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

Photos = Callable[[], list[str]]


@pytest.mark.parametrize("status", IN_STATUS)
def test_nothing_is_left_of_an_erased_analysis_whatever_its_status(
    api: ContractClient, photos: Photos, status: str
) -> None:
    analysis = IN_STATUS[status]()
    answer = api.delete(address(analysis))
    assert (answer.status_code, answer.content) == (204, b"")
    for model in (Analysis, Finding, Human):
        assert not model.objects.exists()
    assert not photos()
    assert list(Erasure.objects.values_list("id", flat=True)) == [analysis.id]


def test_what_belongs_to_others_stays(api: ContractClient, photos: Photos) -> None:
    mine, other = succeeded(), succeeded()
    api.delete(address(mine))
    assert photos() == [other.photo]
    assert api.status(other).json()["result"] is not None
    assert Human.objects.count() == 1


def test_afterwards_every_call_answers_410(api: ContractClient) -> None:
    analysis = succeeded()
    api.delete(address(analysis))
    answers = [
        api.get(address(analysis)),
        api.status(analysis, If_None_Match="*", Prefer="wait=25"),
        api.delete(address(analysis)),
        api.post(address(analysis, "cancel")),
        api.post(address(analysis, "retry")),
        api.get(address(analysis, "photo")),
        api.get(address(analysis, "export")),
        api.post(address(analysis, "share")),
        api.delete(address(analysis, "share")),
        api.post(
            address(analysis, "feedback"),
            {"symptom": "dandruff", "opinion": "less"},
            content_type="application/json",
        ),
    ]
    assert [answer.status_code for answer in answers] == [410] * len(answers)
    assert {answer.json()["code"] for answer in answers} == {"analysis_erased"}
    assert api.head(address(analysis)).status_code == 410


def test_an_id_that_was_never_there_is_404(api: ContractClient) -> None:
    answer = api.delete(address(uuid.uuid4()))
    assert (answer.status_code, answer.json()["code"]) == (404, "analysis_unknown")
    assert not Erasure.objects.exists()
