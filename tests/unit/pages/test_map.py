"""Where the models looked: the maps over the photo, what the report says of them, and when there are none."""

from __future__ import annotations

import io
import uuid
from dataclasses import replace

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.translation import override
from PIL import Image

from backend.analyses.models import Analysis, Finding, Share
from backend.analyses.pages.heatmap import heatmap_png
from backend.analyses.presentation.words import clue_words
from backend.analyses.services.attempt import MAP_SIDE, analysis_claim, analysis_succeed
from backend.analyses.services.control import analysis_erase
from backend.analyses.services.retention import photos_purge
from ml.labels import SYMPTOMS
from tests.support.visitors import graded, reported, sent

pytestmark = pytest.mark.django_db(transaction=True)

GRADES = (0, 2, 2, 0, 1, 0)
HELD_BACK = 5


def lit(row: int, column: int) -> bytes:
    """A map in which one place speaks for the grade."""
    seen = bytearray(MAP_SIDE**2)
    seen[row * MAP_SIDE + column] = 255
    return bytes(seen)


@pytest.fixture
def report(visitor: Client) -> uuid.UUID:
    """An analysis with a report and a map of each sign but the last, on which judgment is held back."""
    analysis = sent(visitor)
    claim = analysis_claim(analysis, worker="model@test")
    assert claim
    found = [
        replace(finding, map=None if finding.abstains else lit(2, 2))
        for finding in graded(GRADES, abstaining=(HELD_BACK,))
    ]
    assert analysis_succeed(claim, found, bundle="demo@1", demo=True)
    return analysis


def test_it_shows_the_photo_and_a_map_of_each_sign_that_was_judged(visitor: Client, report: uuid.UUID) -> None:
    page = visitor.get(f"/analyses/{report}/").content.decode()
    assert f'src="/analyses/{report}/photo/"' in page
    for number, symptom in enumerate(SYMPTOMS):
        address = f"/analyses/{report}/maps/{symptom.key}.png"
        answer = visitor.get(address)
        assert (f'src="{address}"' in page) is (number != HELD_BACK)
        assert answer.status_code == (404 if number == HELD_BACK else 200)
        assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("private, no-store", "no-referrer")
    assert "proves nothing" in page
    assert "are at the upper left of the photo" in page


def test_a_map_is_a_picture_in_which_nothing_runs(visitor: Client, report: uuid.UUID) -> None:
    answer = visitor.get(f"/analyses/{report}/maps/dandruff.png")
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.format == "PNG"


def test_without_maps_it_shows_the_photo_alone(visitor: Client) -> None:
    page = visitor.get(f"/analyses/{reported(visitor)}/").content.decode()
    assert "/photo/" in page
    assert "/maps/" not in page
    assert "proves nothing" not in page


def test_photo_and_maps_go_together(visitor: Client, report: uuid.UUID) -> None:
    Analysis.objects.update(purge_at=timezone.now())
    photos_purge()
    assert not Finding.objects.exclude(map=None).exists()
    page = visitor.get(f"/analyses/{report}/").content.decode()
    assert "<img" not in page
    assert page.count('id="sign-') == 6
    assert "Heat maps are deleted together" in visitor.get(f"/analyses/{report}/maps/dandruff.png").content.decode()


def test_what_is_erased_has_no_map(visitor: Client, report: uuid.UUID) -> None:
    analysis_erase(report)
    assert visitor.get(f"/analyses/{report}/maps/dandruff.png").status_code == 410
    assert visitor.get(f"/analyses/{uuid.uuid4()}/maps/dandruff.png").status_code == 404


def test_there_is_no_map_of_what_is_no_sign(visitor: Client, report: uuid.UUID) -> None:
    assert visitor.get(f"/analyses/{report}/maps/scalp_gate.png").status_code == 404


def test_a_shared_link_never_gives_a_map(visitor: Client, report: uuid.UUID) -> None:
    visitor.post(f"/analyses/{report}/share/")
    link = Share.objects.get().pk
    assert "/maps/" not in visitor.get(f"/shared/{link}/").content.decode()
    for address in (f"/shared/{link}/maps/dandruff.png", f"/analyses/{link}/maps/dandruff.png"):
        assert visitor.get(address).status_code == 404


@pytest.mark.parametrize("skin", [(70, 50, 45), (120, 90, 80), (200, 160, 150), (150, 190, 180), (230, 225, 220)])
def test_a_stronger_activation_makes_the_map_lighter_on_any_skin(skin: tuple[int, int, int]) -> None:
    """So people who see no colors, or print in gray, see the same."""
    photo = Image.new("RGBA", (1, 1), (*skin, 255))
    lightness = []
    for level in range(0, 256, 15):
        with Image.open(io.BytesIO(heatmap_png(bytes([level]) * MAP_SIDE**2))) as heatmap:
            over = Image.alpha_composite(photo, heatmap.convert("RGBA").resize((1, 1)))
        lightness.append(over.convert("L").getpixel((0, 0)))
    assert lightness == sorted(set(lightness))


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        (0, 0, "upper left"),
        (0, 8, "at the top"),
        (8, 8, "in the middle"),
        (8, 15, "on the right"),
        (15, 15, "lower right"),
    ],
)
def test_where_a_map_says_most_is_told_in_words(row: int, column: int, said: str) -> None:
    with override("en"):
        assert said in clue_words(lit(row, column))
