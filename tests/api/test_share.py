"""POST and DELETE /api/v1/analyses/{id}/share/"""

from __future__ import annotations

import uuid
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from backend.analyses.models import Share
from backend.analyses.services.sharing import SHARE_DAYS, shares_sweep
from tests.api.contract import ContractClient, address
from tests.support.analyses import IN_STATUS, succeeded

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def test_the_link_opens_the_report_until_it_ends(api: ContractClient, plain_static: None) -> None:
    analysis = succeeded()
    link = api.post(address(analysis, "share")).json()
    ends = parse_datetime(link["expires_at"])
    assert ends
    assert timedelta(0) <= timezone.now() + timedelta(days=SHARE_DAYS) - ends < timedelta(minutes=1)
    path = urlsplit(link["url"]).path
    assert str(analysis.id) not in link["url"]
    assert api.get(path).status_code == 200
    assert api.delete(address(analysis, "share")).status_code == 204
    assert api.get(path).status_code == 410


def test_a_second_call_gives_the_same_link_and_after_its_end_another(api: ContractClient) -> None:
    analysis = succeeded()
    first, second = (api.post(address(analysis, "share")).json() for _ in range(2))
    assert first == second
    api.delete(address(analysis, "share"))
    assert api.post(address(analysis, "share")).json()["url"] != first["url"]


@pytest.mark.parametrize("status", sorted(IN_STATUS.keys() - {"succeeded"}))
def test_what_has_no_report_is_not_shared(api: ContractClient, status: str) -> None:
    answer = api.post(address(IN_STATUS[status](), "share"))
    assert (answer.status_code, answer.json()["code"]) == (409, "no_report_yet")
    assert not Share.objects.exists()


def test_ending_a_share_succeeds_if_not_shared_but_needs_an_analysis(api: ContractClient) -> None:
    assert api.delete(address(succeeded(), "share")).status_code == 204
    for method in (api.post, api.delete):
        answer = method(address(uuid.uuid4(), "share"))
        assert (answer.status_code, answer.json()["code"]) == (404, "analysis_unknown")


def test_links_that_have_ended_are_swept_and_others_stay(api: ContractClient) -> None:
    ended, kept = succeeded(), succeeded()
    for analysis in (ended, kept):
        api.post(address(analysis, "share"))
    Share.objects.filter(analysis=ended).update(expires_at=timezone.now())
    assert shares_sweep() == 1
    assert Share.objects.get().analysis == kept
    assert shares_sweep() == 0
