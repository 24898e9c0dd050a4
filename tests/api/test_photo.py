"""GET /api/v1/analyses/{id}/photo/"""

from __future__ import annotations

import io
import uuid

import pytest
from django.test import Client
from PIL import Image

from backend.analyses.models import Finding
from backend.analyses.services.attempt import MAP_SIDE
from backend.analyses.services.retention import photos_purge
from tests.api.contract import ContractClient, address
from tests.support.analyses import past_retention, succeeded

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def test_the_photo_is_given_until_it_is_purged(api: ContractClient) -> None:
    analysis = succeeded()
    answer = api.get(address(analysis, "photo"))
    assert answer.status_code == 200
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (160, 120))
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    past_retention(analysis)
    photos_purge()
    gone = api.get(address(analysis, "photo"))
    assert (gone.status_code, gone.json()["code"]) == (404, "photo_purged")


@pytest.mark.usefixtures("plain_static")
def test_what_should_have_been_purged_is_not_shown(api: ContractClient, client: Client) -> None:
    """The purge is late."""
    analysis = succeeded()
    Finding.objects.filter(analysis=analysis).update(map=bytes(MAP_SIDE**2))
    heatmap = f"/analyses/{analysis.pk}/maps/dandruff.png"
    assert client.get(heatmap).status_code == 200
    past_retention(analysis)
    assert api.get(address(analysis, "photo")).json()["code"] == "photo_purged"
    assert client.get(heatmap).status_code == 404
    assert client.get(f"/analyses/{analysis.pk}/photo/").status_code == 404
    assert api.get(address(analysis)).json()["photo_expires_at"] is None


def test_an_id_that_was_never_there_is_404(api: ContractClient) -> None:
    answer = api.get(address(uuid.uuid4(), "photo"))
    assert (answer.status_code, answer.json()["code"]) == (404, "analysis_unknown")
