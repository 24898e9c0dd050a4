"""Asking in Chromium: from the report, without a script, and in danger."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, Visit, axe_finds_nothing
from tests.support.stack import Stack


@pytest.fixture(scope="module", autouse=True)
def entries(stack: Stack) -> None:
    stack.manage("load_questions")


def ask(page: Page, question: str) -> None:
    page.fill("#question", question)
    page.keyboard.press("Enter")
    page.wait_for_load_state()


def test_a_question_is_asked_by_keyboard_without_a_script(visit: Visit) -> None:
    page = visit("/questions/", javascript=False)
    ask(page, "피부과 진료비는 얼마나 들어요?")
    expect(page.locator("#told h2")).to_have_text("피부과 진료비는 얼마나 들어요?")
    expect(page.locator("#told")).to_contain_text("의사가 검토하지는 않았어요")
    assert "?" not in page.url, "what is asked stands in no address"
    page.locator("#told .strokes a").first.click()
    page.wait_for_url(re.compile(r"/questions/[a-z-]+/$"))
    expect(page.locator(".answer")).to_be_visible()


def test_in_danger_the_numbers_to_call_come_first(visit: Visit) -> None:
    page = visit("/questions/", language="en", size=DESK)
    ask(page, "I don't want to live anymore because of my hair")
    expect(page.locator("#told a[href='tel:109']")).to_be_visible()
    expect(page.locator("#told .answer")).to_have_count(0)


def test_the_report_leads_to_questions_about_its_signs(visit: Visit, stack: Stack) -> None:
    analysis = stack.submit().json()["id"]
    stack.wait(analysis)
    page = visit(f"/analyses/{analysis}/", language="en")
    page.get_by_role("link", name="Ask a question").click()
    page.wait_for_url(re.compile(rf"/analyses/{analysis}/questions/$"))
    ask(page, "how many times a day minoxidil")
    expect(page.locator("#told h2")).to_have_text("This is not something we answer")
    page.get_by_role("link", name="Back to the report").click()
    page.wait_for_url(re.compile(rf"/analyses/{analysis}/$"))


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("question", ["", "피부과 진료비는 얼마예요?", "두피에서 피가 계속 나요", "zebra xylophone"])
def test_axe_finds_nothing_on_the_questions(visit: Visit, language: str, question: str) -> None:
    page = visit("/questions/", language=language)
    if question:
        ask(page, question)
        expect(page.locator("#told")).to_be_visible()
    axe_finds_nothing(page)
