"""The report's photo, and the maps that are laid over it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, Visit
from tests.support.stack import Stack


@pytest.fixture
def report(stack: Stack) -> str:
    """The address of a report whose photo is still kept."""
    analysis = stack.submit().json()["id"]
    assert stack.wait(analysis)["status"] == "succeeded"
    return f"/analyses/{analysis}/"


def unfolded(page: Page) -> Page:
    page.locator(".looks summary").click()
    expect(page.locator(".view .seen")).to_be_visible()
    return page


def arrived(page: Page, count: int) -> None:
    """So many pictures of the section are seen, and each has arrived as one."""
    seen = page.locator(".view img:visible")
    expect(seen).to_have_count(count)
    for picture in seen.all():
        expect(picture).to_have_js_property("complete", True)
        expect(picture).not_to_have_js_property("naturalWidth", 0)


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_a_map_lies_over_the_whole_photo_and_one_sign_is_chosen_at_a_time(
    visit: Visit, report: str, size: tuple[int, int], javascript: bool
) -> None:
    page = unfolded(visit(report, size=size, javascript=javascript))
    photo, maps, clues = page.locator(".view .seen"), page.locator(".heatmap:visible"), page.locator(".clue:visible")
    for choice in page.locator(".look [name=map]").all():
        choice.check(force=True)
        shown = 1 if choice.get_attribute("value") else 0
        expect(maps).to_have_count(shown)
        expect(clues).to_have_count(shown)
        arrived(page, 1 + shown)
        if shown:
            assert maps.bounding_box() == pytest.approx(photo.bounding_box(), abs=0.5)


def test_nothing_of_the_photo_travels_before_somebody_wants_to_see_it(visit: Visit, report: str) -> None:
    page = visit("/healthz")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.resource_type == "image" else None)
    page.goto(page.url.replace("/healthz", report), wait_until="networkidle")
    assert not [url for url in asked if "/photo/" in url or "/maps/" in url]
    arrived(unfolded(page), 2)
    assert sum("/photo/" in url for url in asked) == 1


def test_the_slider_shows_the_map_strength_and_only_where_it_works(visit: Visit, report: str) -> None:
    page = unfolded(visit(report))
    page.get_by_label("지도를 덮는 세기").fill("40")
    assert page.locator(".heatmap:visible").evaluate("map => getComputedStyle(map).opacity") == "0.4"
    expect(unfolded(visit(report, javascript=False)).locator("#strength")).to_be_hidden()


def test_the_map_is_chosen_by_keyboard(visit: Visit, report: str) -> None:
    page = visit(report, language="en")
    page.locator(".looks summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator(".look [name=map]").first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label("Photo only")).to_be_checked()
    expect(page.locator(".heatmap:visible")).to_have_count(0)


def test_the_photo_is_not_on_paper(visit: Visit, report: str) -> None:
    page = unfolded(visit(report))
    page.emulate_media(media="print")
    expect(page.locator(".view .seen")).to_be_hidden()
    expect(page.get_by_text("사진이 또렷했어요")).to_be_visible()
