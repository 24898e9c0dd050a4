"""POST /api/v1/analyses/{id}/feedback/"""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from backend.analyses.models import Feedback
from tests.api.contract import ContractClient, address
from tests.support.analyses import IN_STATUS, succeeded

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

OPINION = {"symptom": "dandruff", "opinion": "less"}


def tell(api: ContractClient, analysis: Any, said: Any) -> Any:
    return api.post(address(analysis, "feedback"), said, content_type="application/json")


def test_a_later_opinion_on_the_same_sign_replaces_the_earlier_one(api: ContractClient) -> None:
    analysis = succeeded()
    for said in (OPINION, {**OPINION, "opinion": "more"}, {"symptom": "hair_loss", "opinion": "right"}):
        assert tell(api, analysis, said).status_code == 204
    stored = set(Feedback.objects.values_list("analysis", "symptom", "opinion"))
    assert stored == {(analysis.id, "dandruff", "more"), (analysis.id, "hair_loss", "right")}


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ({}, ["symptom", "opinion"]),
        ({**OPINION, "symptom": "scalp_gate"}, ["symptom"]),
        ({**OPINION, "opinion": "worse"}, ["opinion"]),
        ({"symptom": ["dandruff"], "opinion": {}}, ["symptom", "opinion"]),
        (["dandruff", "less"], ["symptom", "opinion"]),
        (None, ["symptom", "opinion"]),
    ],
)
def test_an_opinion_that_says_nothing_is_refused_field_by_field(
    api: ContractClient, said: Any, fields: list[str]
) -> None:
    answer = tell(api, succeeded(), json.dumps(said))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == fields
    assert not Feedback.objects.exists()


def test_what_is_no_json_is_refused(api: ContractClient) -> None:
    analysis = succeeded()
    assert tell(api, analysis, "{").json()["code"] == "malformed"
    answer = api.post(address(analysis, "feedback"), OPINION)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert "as JSON" in answer.json()["detail"]


@pytest.mark.parametrize(
    "said", ["[" * 60_000, '{"symptom":' * 5_000, "1" * 60_000, "[[]," * 250_000 + "[]]", '{"symptom": NaN}'],
    ids=["deep lists", "deep objects", "an endless number", "a megabyte", "no number"],
)  # fmt: skip
def test_json_that_is_too_deep_or_too_long_is_refused(api: ContractClient, said: str) -> None:
    answer = tell(api, succeeded(), said)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize("status", sorted(IN_STATUS.keys() - {"succeeded"}))
def test_without_a_report_there_is_nothing_to_have_an_opinion_on(api: ContractClient, status: str) -> None:
    answer = tell(api, IN_STATUS[status](), OPINION)
    assert (answer.status_code, answer.json()["code"]) == (409, "no_report_yet")


def test_an_id_that_was_never_there_is_404(api: ContractClient) -> None:
    assert tell(api, uuid.uuid4(), OPINION).status_code == 404
