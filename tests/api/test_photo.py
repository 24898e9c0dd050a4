"""GET /api/v1/analyses/{id}/photo/"""

from __future__ import annotations

import io
import uuid

import pytest
from PIL import Image

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


def test_an_id_that_was_never_there_is_404(api: ContractClient) -> None:
    answer = api.get(address(uuid.uuid4(), "photo"))
    assert (answer.status_code, answer.json()["code"]) == (404, "analysis_unknown")
