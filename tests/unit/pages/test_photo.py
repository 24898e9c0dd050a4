"""The photo behind a report: who gets it, until when, and how it is kept to them."""

from __future__ import annotations

import io
import uuid

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from PIL import Image

from backend.analyses.models import Analysis, Share
from backend.analyses.services.control import analysis_erase
from backend.analyses.services.retention import photos_purge
from tests.support.visitors import reported, sent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def report(visitor: Client) -> uuid.UUID:
    return reported(visitor)


def test_the_stored_photo_is_shown_while_waiting_and_with_the_report(visitor: Client) -> None:
    for analysis in (sent(visitor), reported(visitor)):
        answer = visitor.get(f"/analyses/{analysis}/photo/")
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
        with default_storage.open(Analysis.objects.get(pk=analysis).photo) as stored:
            assert answer.content == stored.read()
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert picture.format == "JPEG"
            assert not picture.getexif()


def test_the_photo_is_not_cached_runs_nothing_and_cannot_be_embedded(visitor: Client, report: uuid.UUID) -> None:
    answer = visitor.get(f"/analyses/{report}/photo/")
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert visitor.post(f"/analyses/{report}/photo/").status_code == 405


def test_once_it_is_purged_the_answer_says_so_in_words(visitor: Client, report: uuid.UUID) -> None:
    Analysis.objects.update(purge_at=timezone.now())
    photos_purge()
    answer = visitor.get(f"/analyses/{report}/photo/")
    assert answer.status_code == 404
    assert "photos are deleted after a while" in answer.content.decode()
    assert answer["Cache-Control"] == "private, no-store"


def test_a_file_that_storage_has_lost_is_answered_like_one_that_was_purged(visitor: Client, report: uuid.UUID) -> None:
    default_storage.delete(Analysis.objects.get(pk=report).photo)
    assert visitor.get(f"/analyses/{report}/photo/").status_code == 404


def test_an_erased_analysis_has_no_photo_and_one_that_never_was_neither(visitor: Client, report: uuid.UUID) -> None:
    analysis_erase(report)
    assert visitor.get(f"/analyses/{report}/photo/").status_code == 410
    assert visitor.get(f"/analyses/{uuid.uuid4()}/photo/").status_code == 404


def test_a_shared_link_never_gives_the_photo(visitor: Client, report: uuid.UUID) -> None:
    visitor.post(f"/analyses/{report}/share/")
    link = Share.objects.get().pk
    page = visitor.get(f"/shared/{link}/").content.decode()
    assert "/photo/" not in page
    assert "<img" not in page
    for address in (f"/shared/{link}/photo/", f"/analyses/{link}/photo/"):
        assert visitor.get(address).status_code == 404
