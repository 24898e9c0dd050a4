"""The page that refuses a photo as taken from too far away, and the way from there to a crop of it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from PIL import Image, ImageFilter
from playwright.sync_api import Page, expect

from tests.browser.conftest import ANALYSIS, DESK, PHONE, Visit, analyses, axe_finds_nothing, resting_models, send
from tests.support.pictures import drawn, encoded
from tests.support.stack import Stack

OFFER = "#crop-offer"


def large() -> Image.Image:
    return drawn(3, (1600, 1200))


def too_far(stack: Stack, picture: Image.Image) -> str:
    """The address of an analysis of this picture that the gate refused, in the place of a gate that does so."""
    with resting_models(stack):
        analysis = stack.submit(encoded(picture, "JPEG"), sex="male", age="40s", device="phone").json()["id"]
        ended = "status='rejected', code='too_far', models_done=1, bundle='demo@3.0.0', demo=True"
        stack.rows(f"Analysis.objects.filter(pk='{analysis}').update({ended})")
    return f"/analyses/{analysis}/"


def cropping(visit: Visit, stack: Stack, *, language: str = "en", size: tuple[int, int] = DESK) -> Page:
    """The form, to which the offer on the page led, with the crop frame over the photo."""
    page = visit(too_far(stack, large()), language=language, size=size)
    page.click(f"{OFFER} a")
    expect(page.locator("#crop")).to_be_visible()
    return page


@pytest.mark.parametrize("language", ["ko", "en"])
def test_axe_finds_nothing_on_the_page_with_its_offer(visit: Visit, stack: Stack, language: str) -> None:
    page = visit(too_far(stack, large()), language=language)
    expect(page.locator(OFFER)).to_be_visible()
    axe_finds_nothing(page)
    heights = page.locator(".leaf .button").evaluate_all("all => all.map((one) => one.getBoundingClientRect().height)")
    assert len(heights) == 3
    assert min(heights) >= 48


@pytest.mark.parametrize("language", ["ko", "en"])
def test_axe_finds_nothing_on_the_form_that_crops_it(visit: Visit, stack: Stack, language: str) -> None:
    page = cropping(visit, stack, language=language, size=PHONE)
    expect(page.locator("#too-far")).to_be_visible()
    axe_finds_nothing(page)


def test_the_page_fits_into_320_pixels_and_explains_its_drawing(visit: Visit, stack: Stack) -> None:
    page = visit(too_far(stack, large()), language="en", size=(320, 640))
    expect(page.get_by_role("img", name="How to take a photo from close enough")).to_be_visible()
    expect(page.locator(".how li")).to_have_count(4)
    expect(page.locator(OFFER)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize(
    "change",
    [lambda picture: picture.resize((1100, 825)), lambda picture: picture.filter(ImageFilter.GaussianBlur(12))],
    ids=["small", "blurred"],
)
def test_a_small_or_blurred_photo_is_not_offered_to_be_cropped(
    visit: Visit, stack: Stack, change: Callable[[Image.Image], Image.Image]
) -> None:
    address = too_far(stack, change(large()))
    page = visit("/healthz")
    with page.expect_response(lambda answer: answer.url.endswith("/photo/")):
        page.goto(page.url.replace("/healthz", address))
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1_000)  # It is measured after it came.
    expect(page.locator(OFFER)).to_be_hidden()


def test_the_offer_comes_with_the_last_poll_too(visit: Visit, stack: Stack) -> None:
    with resting_models(stack):
        analysis = stack.submit(encoded(large(), "JPEG")).json()["id"]
        page = visit(f"/analyses/{analysis}/")
        expect(page.locator("[aria-current=step]")).to_be_visible()
        stack.rows(f"Analysis.objects.filter(pk='{analysis}').update(status='rejected', code='too_far')")
        expect(page.locator("h1")).to_have_text("너무 멀리서 찍은 사진이에요")
        expect(page.locator(OFFER)).to_be_visible()


def test_without_javascript_the_page_explains_and_offers_no_crop(visit: Visit, stack: Stack) -> None:
    page = visit(too_far(stack, large()), language="en", javascript=False)
    expect(page.locator("h1")).to_have_text("The photo was taken from too far away")
    expect(page.locator(".closer > svg")).to_be_visible()
    expect(page.locator(OFFER)).to_be_hidden()


def test_on_paper_the_drawing_stays_and_the_offer_goes(visit: Visit, stack: Stack) -> None:
    page = visit(too_far(stack, large()), language="en")
    expect(page.locator(OFFER)).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator(".closer > svg")).to_be_visible()
    expect(page.locator(OFFER)).to_be_hidden()


def test_a_crop_of_the_refused_photo_is_sent_with_the_same_answers(visit: Visit, stack: Stack) -> None:
    page = cropping(visit, stack)
    expect(page.locator("#crop")).to_be_focused()
    for name, value in (("sex", "male"), ("age", "40s"), ("device", "phone")):
        expect(page.locator(f"[name={name}][value='{value}']")).to_be_checked()
    expect(page.locator("[name=consent]")).not_to_be_checked()
    before = analyses(stack)
    page.locator("#crop-size").fill("320")
    page.check("[name=consent]")
    send(page)
    page.wait_for_url(ANALYSIS)
    assert analyses(stack) == before + 1
    stored = requests.get(f"{page.url}photo/", timeout=30).content
    assert Image.open(io.BytesIO(stored)).size == (320, 320)


def test_a_photo_chosen_instead_takes_the_frame_and_its_advice_away(visit: Visit, stack: Stack, photo: Path) -> None:
    page = cropping(visit, stack)
    page.set_input_files("#photo", photo)
    expect(page.locator("#file-name")).to_have_text("scalp.jpg")
    expect(page.locator("#too-far")).to_be_hidden()
    expect(page.locator("#crop")).to_be_hidden()


def test_a_photo_that_was_deleted_meanwhile_is_asked_for_again(visit: Visit, stack: Stack) -> None:
    page = visit(too_far(stack, large()), language="en")
    expect(page.locator(OFFER)).to_be_visible()
    stack.rows(f"Analysis.objects.filter(pk='{page.url.split('/')[-2]}').update(photo='')")
    with page.expect_response(lambda answer: answer.url.endswith("/photo/")) as answer:
        page.click(f"{OFFER} a")
    assert answer.value.status == 404
    expect(page.locator("#photo-error")).to_contain_text("choose it again or take a new one")
    expect(page.locator("#shown")).to_be_hidden()
    assert page.evaluate("document.getElementById('photo').files.length") == 0
