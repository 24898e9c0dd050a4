"""What people of the house see: the dashboard in the admin, by day and by night, on a phone and on a desk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, Visit, axe_finds_nothing
from tests.support.stack import Stack

PASSWORD = "a-scalp-check-for-all"


@pytest.fixture
def admin(stack: Stack) -> Iterator[str]:
    """The name of somebody who may see everything."""
    make = "__import__('django.contrib.auth', fromlist=['']).get_user_model().objects"
    stack.rows(f"{make}.create_superuser('head', password='{PASSWORD}').pk")
    yield "head"
    stack.rows(f"{make}.filter(username='head').delete()[0]")


def logged_in(page: Page, name: str) -> Page:
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("[type=submit]")
    expect(page.locator(".facts")).to_be_visible()
    return page


@pytest.mark.parametrize("language", ["ko", "en"])
def test_axe_finds_nothing_on_the_dashboard(visit: Visit, stack: Stack, admin: str, language: str) -> None:
    ids = [stack.submit().json()["id"] for _ in range(2)]
    for analysis_id in ids:
        stack.wait(analysis_id)
    # One as if from an operator's own models: the dashboard counts those apart from the demo's.
    stack.rows(f"Analysis.objects.filter(pk='{ids[0]}').update(demo=False)")
    page = logged_in(visit("/admin/login/?next=/admin/dashboard/", language=language), admin)
    expect(page.locator("[id^=findings-]")).to_have_count(2)
    axe_finds_nothing(page)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_dashboard_is_no_wider_than_its_screen(
    visit: Visit, stack: Stack, admin: str, size: tuple[int, int], scheme: str
) -> None:
    stack.wait(stack.submit().json()["id"])
    page = logged_in(visit("/admin/login/?next=/admin/dashboard/", size=size, scheme=scheme), admin)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
