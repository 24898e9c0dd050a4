"""The statistics in Chromium: choosing a group, and where one's own result stands."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, Visit, axe_finds_nothing
from tests.support.stack import Stack

GROUPS = {  # of women: results by age, type and degree
    "20대": [(160, "지성", "경증"), (40, "건성", "양호")],
    "30대": [(90, "지성", "경증"), (60, "건성", "양호"), (40, "비듬성", "중등도"), (10, "탈모성", "중증")],
    "50대": [(30, "탈모성", "중등도"), (30, "탈모성", "중증")],
}


@pytest.fixture(scope="module", autouse=True)
def published(stack: Stack) -> Iterator[None]:
    """Groups of women that are large enough, and one that is not."""
    for age, rows in {**GROUPS, "70대": [(19, "양호", "양호")]}.items():
        for number, skin, pred in rows:
            human = f"Human(sex='여', age='{age}', skin='{skin}', pred='{pred}')"
            stack.rows(f"len(Human.objects.bulk_create([{human} for _ in range({number})]))")
    stack.manage("publish_statistics")
    yield
    stack.rows("Human.objects.filter(analysis=None).delete()[0]")
    stack.manage("publish_statistics")


@pytest.fixture(scope="module")
def own(stack: Stack) -> str:
    """The report of a woman in her thirties."""
    analysis = stack.submit().json()["id"]
    assert stack.wait(analysis)["status"] == "succeeded"
    stack.rows(f"Finding.objects.filter(analysis='{analysis}').update(abstains=False)")  # Some photos tell too little.
    return f"/analyses/{analysis}/"


def test_a_group_is_chosen_and_shown_without_a_script(visit: Visit) -> None:
    page = visit("/statistics/", language="en", javascript=False)
    page.select_option("#sex", "female")
    page.select_option("#age", "50s")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".eyebrow")).to_have_text(re.compile(r"Female · 50s\s+·\s+about (5|6)\d results"))
    first = page.locator(".bars").first.locator("tbody tr").first
    expect(first.locator("th")).to_have_text("Hair-loss")
    assert int(first.locator(".n").inner_text().split()[0]) > 80
    rows = page.locator("[aria-labelledby=by-age] tbody tr")
    expect(rows).to_have_count(len(GROUPS))
    page.select_option("#age", "70s")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".notice")).to_contain_text("fewer than 20 results")
    expect(page.locator(".eyebrow")).to_have_text(re.compile(r"Female · all ages\s+·"))
    expect(page.locator("#age")).to_have_value("70s")


def test_each_strip_is_as_long_as_the_number_beside_it_says(visit: Visit) -> None:
    page = visit("/statistics/?sex=female&age=30s", size=DESK)
    rows = page.locator(".bars").first.locator("tbody tr")
    for row in rows.all():
        percent = int(row.locator(".n").inner_text().split()[0])
        bars = row.locator("rect:not(.rail)")
        width = float(bars.get_attribute("width") or 0) if bars.count() else 0.0
        assert width == pytest.approx(percent, abs=0.51), "of a rail that stands for all results"


def test_the_report_leads_to_where_its_result_stands(visit: Visit, own: str) -> None:
    page = visit(own, language="en")
    page.get_by_role("link", name="How you compare").first.click()
    page.wait_for_url(re.compile("/statistics/$"))
    expect(page.locator(".eyebrow")).to_contain_text("Female · 30s")
    shares = re.findall(r"(\d+) (?:are|of)", page.locator(".lede").inner_text().split("in this group, ")[1])
    assert sum(map(int, shares)) == 100
    expect(page.locator(".is-own")).to_have_count(2)
    page.get_by_role("link", name="Back to the report").click()
    page.wait_for_url(re.compile(own))


@pytest.mark.parametrize("language", ["ko", "en"])
def test_axe_finds_nothing_on_the_statistics(visit: Visit, own: str, language: str) -> None:
    axe_finds_nothing(visit("/statistics/?sex=female&age=30s", language=language))
    axe_finds_nothing(visit(f"{own}statistics/", language=language))
