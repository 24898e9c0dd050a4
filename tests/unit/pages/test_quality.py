"""How good the photo was, as the report says it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils.translation import override

from backend.analyses.models import Share
from backend.analyses.presentation.quality import GAUGE_LENGTH, quality_meters
from backend.analyses.results import PhotoQuality
from backend.analyses.services.attempt import analysis_claim, analysis_succeed
from ml.data.synthetic import scalp_picture
from ml.quality import measure
from tests.support.visitors import graded, reported, sent

GOOD = PhotoQuality(brightness=0.6, contrast=0.15, sharpness=1.0)


@pytest.mark.parametrize(
    ("quality", "words"),
    [
        (GOOD, ["bright enough", "clear enough", "in focus"]),
        (PhotoQuality(0.1, 0.02, 0.4), ["a bit dark", "a bit flat", "a bit soft"]),
        (PhotoQuality(0.9, 0.9, 9.0), ["a bit bright", "clear enough", "in focus"]),
    ],
)
def test_each_measure_has_a_word_and_a_place_on_its_gauge(quality: PhotoQuality, words: list[str]) -> None:
    with override("en"):
        meters = quality_meters(quality)
    assert [meter.word for meter in meters] == words
    for meter in meters:
        assert 0 <= meter.at <= GAUGE_LENGTH
        assert meter.good is (meter.good_from <= meter.at <= meter.good_to)


@pytest.mark.parametrize("seed", range(6))
def test_there_is_nothing_to_wish_for_of_a_scalp_photo_in_focus(seed: int) -> None:
    measured = measure(scalp_picture(seed))
    quality = PhotoQuality(measured.brightness, measured.contrast, measured.sharpness)
    with override("en"):
        assert [meter.name for meter in quality_meters(quality) if not meter.good] == []


@pytest.mark.django_db(transaction=True)
def test_the_report_and_a_shared_link_say_how_good_the_photo_was(visitor: Client) -> None:
    analysis = sent(visitor)
    claim = analysis_claim(analysis, worker="model@test")
    assert claim
    assert analysis_succeed(claim, graded((0, 0, 1, 0, 0, 0)), bundle="demo@1", demo=True, quality=GOOD)
    visitor.post(f"/analyses/{analysis}/share/")
    for address in (f"/analyses/{analysis}/", f"/shared/{Share.objects.get().pk}/"):
        page = visitor.get(address).content.decode()
        assert page.count('class="meter"') == 3
        assert "in focus" in page


@pytest.mark.django_db(transaction=True)
def test_a_report_from_before_anything_was_measured_says_what_is_known(visitor: Client) -> None:
    page = visitor.get(f"/analyses/{reported(visitor)}/").content.decode()
    assert 'class="meter"' not in page
    assert "Light and focus were good enough" in page
