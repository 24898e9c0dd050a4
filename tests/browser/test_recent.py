"""The way back to a report whose tab was closed, and ways to keep its address."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ANALYSIS, Visit, axe_finds_nothing, fill, resting_models, send
from tests.support.stack import Stack

KEY = "scalpspectra-recent"


def reported(stack: Stack) -> str:
    analysis = str(stack.submit().json()["id"])
    stack.wait(analysis)
    return analysis


def remembered(page: Page) -> str:
    """All that the browser remembers of it, as it is stored."""
    return str(page.evaluate("(key) => localStorage.getItem(key) ?? ''", KEY))


def test_a_closed_tab_is_found_again_from_two_pages(visit: Visit, stack: Stack, photo: Path) -> None:
    page = visit()
    expect(page.locator("#recent")).to_be_hidden()
    with resting_models(stack):
        fill(page, photo)
        send(page)
        page.wait_for_url(ANALYSIS)
        address = page.url
        expect(page.locator("[aria-current=step]")).to_be_visible()
        page.goto(f"{stack.url}/history/")
        expect(page.locator("#recent a")).to_have_attribute("href", address.removeprefix(stack.url))
    page.goto(stack.url)
    page.locator("#recent a").click()
    page.wait_for_url(address)
    expect(page.locator("[id^=sign-]")).to_have_count(6, timeout=60_000)
    sentence = page.locator("h1").inner_text()
    assert sentence not in remembered(page)
    assert set(page.evaluate("(key) => Object.keys(JSON.parse(localStorage.getItem(key))[0])", KEY)) == {"id", "at"}


def test_addresses_are_forgotten_one_by_one_and_all_at_once(visit: Visit, stack: Stack) -> None:
    page = visit()
    for _time in range(3):
        page.goto(f"{stack.url}/analyses/{reported(stack)}/")
        expect(page.locator("[id^=sign-]")).to_have_count(6)
    page.goto(stack.url)
    lines = page.locator("#recent li")
    expect(lines).to_have_count(3)
    lines.first.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(lines).to_have_count(2)
    expect(page.locator("#recent-forgotten")).to_have_text("이 브라우저에서 주소를 지웠어요.")
    expect(lines.first.get_by_role("button")).to_be_focused()
    page.locator("#recent [data-all]").click()
    expect(page.locator("#recent")).to_be_hidden()
    expect(page.locator("#content")).to_be_focused()
    assert remembered(page) == ""


@pytest.mark.parametrize("gone", ["erased", "lost"])
def test_what_is_not_there_any_more_is_forgotten(visit: Visit, stack: Stack, gone: str) -> None:
    analysis = reported(stack)
    page = visit(f"/analyses/{analysis}/")
    expect(page.locator("[id^=sign-]")).to_have_count(6)
    assert analysis in remembered(page)
    if gone == "erased":
        page.goto(f"{stack.url}/analyses/{analysis}/erase/")
        page.click(".danger")
    else:
        stack.rows(f"Analysis.objects.filter(pk='{analysis}').delete()[0]")
        stack.rows("Human.objects.filter(analysis=None).delete()[0]")
        page.reload()
    expect(page.locator(".leaf .eyebrow")).to_have_text("410" if gone == "erased" else "404")
    page.wait_for_load_state("networkidle")
    assert remembered(page) == ""


def test_addresses_are_forgotten_after_a_day(visit: Visit, stack: Stack) -> None:
    analysis = reported(stack)
    page = visit(f"/analyses/{analysis}/")
    expect(page.locator("[id^=sign-]")).to_have_count(6)
    page.evaluate(
        """(key) => {
            const [entry] = JSON.parse(localStorage.getItem(key));
            localStorage.setItem(key, JSON.stringify([{ ...entry, at: entry.at - 24 * 60 * 60 * 1000 }]));
        }""",
        KEY,
    )
    page.goto(stack.url)
    page.wait_for_load_state("networkidle")
    expect(page.locator("#recent")).to_be_hidden()
    assert remembered(page) == ""


def test_nothing_is_remembered_of_a_report_that_somebody_shared(visit: Visit, stack: Stack) -> None:
    link = stack.rows(f"str(Share.objects.create(analysis_id='{reported(stack)}', expires_at='2999-01-01T00:00Z').pk)")
    page = visit(f"/shared/{link}/")
    expect(page.locator("[id^=sign-]")).to_have_count(6)
    page.wait_for_load_state("networkidle")
    assert remembered(page) == ""


def test_a_browser_without_storage_shows_every_page_all_the_same(visit: Visit, stack: Stack) -> None:
    page = visit()
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('no storage'); } });")
    page.goto(f"{stack.url}/analyses/{reported(stack)}/")
    expect(page.locator("[id^=sign-]")).to_have_count(6)
    expect(page.locator(".save-button")).to_be_visible()
    page.goto(stack.url)
    expect(page.locator("#recent")).to_be_hidden()
    expect(page.locator("#ways")).to_be_visible()


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_recent_reports_pass_axe(visit: Visit, stack: Stack, language: str) -> None:
    page = visit(language=language)
    for _time in range(2):
        page.goto(f"{stack.url}/analyses/{reported(stack)}/")
    page.goto(stack.url)
    expect(page.locator("#recent li")).to_have_count(2)
    axe_finds_nothing(page)


def test_the_waiting_page_copies_its_address_and_saves_the_report_later(visit: Visit, stack: Stack) -> None:
    with resting_models(stack):
        analysis = stack.submit().json()["id"]
        page = visit(f"/analyses/{analysis}/", language="en")
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.get_by_role("button", name="Copy my private address").click()
        expect(page.locator("[data-copy-address] [role=status]")).to_have_text(
            "Copied. Anyone with this address can see the photo and erase the report."
        )
        assert page.evaluate("navigator.clipboard.readText()") == f"{stack.url}/analyses/{analysis}/"
        page.evaluate("""() => {
            navigator.clipboard.writeText = () => Promise.reject(new DOMException("", "NotAllowedError"));
        }""")
        page.get_by_role("button", name="Copy my private address").click()
        expect(page.locator("input.address")).to_be_focused()
        expect(page.locator("input.address")).to_have_value(f"{stack.url}/analyses/{analysis}/")
        page.get_by_label("Save the report on this device when it is ready").check()
        page.reload()
        expect(page.get_by_label("Save the report on this device when it is ready")).to_be_checked()
    expect(page.locator("[id^=sign-]")).to_have_count(6, timeout=60_000)
    expect(page.locator(".save-button a")).to_be_visible()
    page.goto(f"{stack.url}/history/")
    expect(page.locator(".entry")).to_have_count(1)
