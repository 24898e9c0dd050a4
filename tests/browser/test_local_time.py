"""Times in the reader's own zone where a script runs, and with the name of the server's where none does."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.support.stack import Stack


@pytest.fixture
def shared(stack: Stack) -> str:
    """A report with a link that ends at a known moment."""
    analysis = stack.submit().json()["id"]
    assert stack.wait(analysis)["status"] == "succeeded"
    stack.rows(f"str(Share.objects.create(analysis_id='{analysis}', expires_at='2999-01-01T20:30:00Z').pk)")
    return f"/analyses/{analysis}/"


@pytest.mark.parametrize(
    ("zone", "language", "text"),
    [
        ("Europe/London", "en", "January 1, 2999 at 8:30 PM"),
        ("Asia/Seoul", "en", "January 2, 2999 at 5:30 AM"),
        ("America/Los_Angeles", "ko", "2999년 1월 1일 오후 12:30"),
    ],
)
def test_a_time_is_told_in_the_zone_of_the_reader(
    visit: Visit, shared: str, zone: str, language: str, text: str
) -> None:
    page = visit(shared, language=language, zone=zone)
    expect(page.locator("#share time")).to_have_text(text)
    assert not re.search(r"KST", page.locator("main").inner_text())


def test_without_a_script_a_time_has_the_name_of_its_zone(visit: Visit, shared: str) -> None:
    page = visit(shared, language="en", zone="Europe/London", javascript=False)
    expect(page.locator("#share time")).to_have_text("Jan. 2, 2999, 5:30 a.m. KST")
    expect(page.locator("#share time")).to_have_attribute("datetime", "2999-01-02T05:30:00+09:00")
