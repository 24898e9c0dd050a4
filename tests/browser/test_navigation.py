"""The ways between the pages: a row where there is room, and a menu on phones, both without a script."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, Visit, axe_finds_nothing

NARROW = (320, 640)
NAMES = {
    "ko": ["검사하기", "이 기기에 남겨 둔 보고서", "묻고 답하기", "피부과 찾기", "두피 제품", "다른 사람들과 비교"],
    "en": ["Check", "Saved reports", "Questions", "Clinics", "Products", "How you compare"],
}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_phone_without_a_script_reaches_every_page_by_the_menu(visit: Visit, language: str) -> None:
    page = visit("/offline/", language=language, size=NARROW, javascript=False)
    expect(page.locator(".menu a").first).to_be_hidden()
    header = page.locator("header.top").bounding_box()
    assert header
    assert header["height"] < 80, "logo, language and menu stand side by side"
    for number, name in enumerate(NAMES[language]):
        page.locator(".menu summary").click()
        link = page.locator(".menu a").nth(number)
        expect(link).to_have_text(re.compile(name))
        box = link.bounding_box()
        assert box
        assert box["height"] >= 48
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= NARROW[0]
        link.click()
        expect(page.locator(".menu [aria-current=page]")).to_have_count(1)
        expect(page.locator(".menu a").nth(number)).to_have_attribute("aria-current", "page")


def test_a_wide_screen_shows_the_row_at_once_and_print_does_not(visit: Visit) -> None:
    page = visit("/questions/", language="en", size=DESK, javascript=False)
    links = page.locator(".menu a")
    assert [link.is_visible() for link in links.all()] == [True] * 6
    expect(page.locator(".menu summary")).to_be_hidden()
    assert len({link.bounding_box()["y"] for link in links.all()}) == 1  # type: ignore[index]
    expect(page.locator(".menu [aria-current]")).to_have_text("Questions")
    expect(page.locator(".menu [aria-current]")).to_have_attribute("aria-current", "page")
    page.emulate_media(media="print")
    expect(page.locator(".menu")).to_be_hidden()


def test_the_menu_is_accessible_open_and_closed(visit: Visit) -> None:
    page = visit("/offline/", language="en")
    axe_finds_nothing(page)
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    page.locator(".menu").evaluate("menu => { menu.open = false }")
    page.locator(".menu summary").press("Enter")
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
