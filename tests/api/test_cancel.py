"""POST /api/v1/analyses/{id}/cancel/"""

from __future__ import annotations

import uuid

import pytest

from tests.api.contract import ContractClient, address
from tests.support.analyses import IN_STATUS, fresh, queued

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.mark.parametrize("status", ["queued", "running", "canceled"])
def test_what_has_not_ended_is_canceled_and_canceling_twice_is_no_error(api: ContractClient, status: str) -> None:
    analysis = IN_STATUS[status]()
    answer = api.post(address(analysis, "cancel"))
    assert answer.status_code == 202
    assert answer["Location"] == address(analysis)
    assert answer.json()["status"] == fresh(analysis).status == "canceled"
    assert "Retry-After" not in answer


@pytest.mark.parametrize("status", ["succeeded", "rejected", "failed", "expired"])
def test_what_has_ended_can_not_be_canceled(api: ContractClient, status: str) -> None:
    analysis = IN_STATUS[status]()
    answer = api.post(address(analysis, "cancel"))
    assert (answer.status_code, answer.json()["code"]) == (409, "not_cancelable")
    assert fresh(analysis).status == status


def test_an_id_that_was_never_there_is_404(api: ContractClient) -> None:
    assert api.post(address(uuid.uuid4(), "cancel")).json()["code"] == "analysis_unknown"


@pytest.mark.parametrize("method", ["get", "head", "put", "delete"])
def test_only_post_cancels(api: ContractClient, method: str) -> None:
    analysis = queued()
    answer = getattr(api, method)(address(analysis, "cancel"))
    assert (answer.status_code, answer["Allow"]) == (405, "POST, OPTIONS")
    assert fresh(analysis).status == "queued"


@pytest.mark.parametrize(("kind", "body"), [("application/json", b"{"), ("text/plain", b"\0"), ("a" * 5000, b"x")])
def test_a_body_does_not_matter(api: ContractClient, kind: str, body: bytes) -> None:
    assert api.post(address(queued(), "cancel"), body, content_type=kind).status_code == 202
