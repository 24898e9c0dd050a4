"""Back, forward and reload on every step: nothing is sent twice, nothing is lost, and what was erased stays away."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ANALYSIS, DESK, PHONE, Visit, analyses, fill, resting_models, send
from tests.support.stack import Stack

WITH_AND_WITHOUT = pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
SIZES = pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])


def back_forward_and_reload(page: Page, seen: str) -> None:
    """Leave the step that shows `seen` and come again, by each of the browser's buttons."""
    page.go_back()
    expect(page.locator("form.sheet")).to_be_visible()
    page.go_forward()
    expect(page.locator(seen)).not_to_have_count(0)
    page.reload()
    expect(page.locator(seen)).not_to_have_count(0)


@WITH_AND_WITHOUT
@SIZES
def test_each_step_is_still_there_after_back_forward_and_reload(
    visit: Visit, stack: Stack, photo: Path, size: tuple[int, int], javascript: bool
) -> None:
    before = analyses(stack)
    page = visit(size=size, javascript=javascript)
    posts: list[str] = []
    page.on("request", lambda asked: posts.append(asked.url) if asked.method == "POST" else None)
    page.check("[name=consent]")
    page.reload()
    expect(page.locator("[name=consent]")).not_to_be_checked()
    assert not posts

    with resting_models(stack):
        fill(page, photo)
        send(page)
        page.wait_for_url(ANALYSIS)
        address = page.url
        back_forward_and_reload(page, "[aria-current=step]")
    expect(page.locator("[id^=sign-]")).to_have_count(6, timeout=60_000)
    back_forward_and_reload(page, "[id^=sign-]")
    assert page.url == address
    assert len(posts) == 1
    assert analyses(stack) == before + 1


@WITH_AND_WITHOUT
def test_the_form_that_one_comes_back_to_sends_another_photo(
    visit: Visit, stack: Stack, photo: Path, javascript: bool
) -> None:
    before = analyses(stack)
    page = visit(javascript=javascript)
    addresses = set()
    for _time in range(2):
        fill(page, photo)
        send(page)
        page.wait_for_url(ANALYSIS)
        expect(page.locator("[id^=sign-]")).to_have_count(6, timeout=60_000)
        addresses.add(page.url)
        page.go_back()
        expect(page.locator("form.sheet")).to_be_visible()
    assert len(addresses) == 2
    assert analyses(stack) == before + 2


@WITH_AND_WITHOUT
def test_nobody_comes_back_to_a_report_that_was_erased(visit: Visit, stack: Stack, javascript: bool) -> None:
    analysis = stack.submit().json()["id"]
    stack.wait(analysis)
    page = visit(f"/analyses/{analysis}/", language="en", javascript=javascript)
    expect(page.locator("[id^=sign-]")).to_have_count(6)
    page.get_by_role("link", name="Delete this report").click()
    expect(page.locator(".danger")).to_be_visible()
    page.go_back()
    expect(page.locator("[id^=sign-]")).to_have_count(6)
    page.go_forward()
    page.reload()
    page.click(".danger")
    expect(page.locator("h1")).to_have_text("Erased")
    for turn in (page.reload, page.go_back, page.go_back):
        turn()
        expect(page.locator("[id^=sign-]")).to_have_count(0)
    expect(page.locator("h1")).to_have_text("Erased")
