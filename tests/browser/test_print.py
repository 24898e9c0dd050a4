"""The report and the summary for the doctor on paper."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.support.stack import Stack


@pytest.fixture
def report(stack: Stack) -> str:
    """The address of a report."""
    analysis = stack.submit().json()["id"]
    assert stack.wait(analysis)["status"] == "succeeded"
    return f"/analyses/{analysis}/"


def sheets(page: Page) -> int:
    """The number of A4 sheets on which the page prints."""
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4", prefer_css_page_size=True)))


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_report_fits_on_two_sheets_and_the_summary_on_one(visit: Visit, report: str, language: str) -> None:
    assert sheets(visit(report, language=language)) <= 2
    summary = visit(f"{report}doctor/", language=language)
    expect(summary.locator(".facts-and-photo img")).to_be_visible()
    assert sheets(summary) == 1


@pytest.mark.parametrize("page_of", ["", "doctor/"])
def test_every_printed_page_of_a_demo_is_marked(visit: Visit, report: str, page_of: str) -> None:
    page = visit(report + page_of, language="en")
    mark = page.locator(".demo-sheet")
    expect(mark).to_be_hidden()
    page.emulate_media(media="print")
    expect(mark).to_be_visible()
    # What is fixed is printed on each sheet.
    assert mark.evaluate("node => getComputedStyle(node).position") == "fixed"
