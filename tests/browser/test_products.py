"""Products in Chromium: what is suggested after a report, the way out to one, and the catalog."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from ml.labels import SYMPTOMS
from tests.browser.conftest import DESK, PHONE, Visit, axe_finds_nothing
from tests.support.stack import Stack

SIZES = pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
LANGUAGES = pytest.mark.parametrize("language", ["ko", "en"])


@pytest.fixture(scope="module", autouse=True)
def shelf(stack: Stack) -> Iterator[None]:
    stack.manage("sample_products")
    yield
    stack.manage("sample_products", "--remove")


def report(stack: Stack, grades: tuple[int, ...]) -> str:
    """The id of a report with these grades, all of them rated by models that are no demo, whatever was seen."""
    analysis = stack.submit().json()["id"]
    stack.wait(analysis)
    told = dict(zip((symptom.key for symptom in SYMPTOMS), grades, strict=True))
    code = f"""
from backend.analyses.models import Analysis, Finding, Human
Analysis.objects.filter(pk="{analysis}").update(demo=False)
from ml.labels import scalp_type
for symptom, grade in {json.dumps(told)}.items():
    Finding.objects.filter(analysis="{analysis}", symptom=symptom).update(grade=grade, abstains=False, confidence=0.9)
skin, pred = scalp_type({grades!r})
Human.objects.filter(analysis="{analysis}").update(skin=skin, pred=pred)
"""
    stack.shell.run(code)
    return str(analysis)


@pytest.fixture(scope="module")
def oily(stack: Stack) -> str:
    return report(stack, (0, 2, 0, 0, 1, 0))


@pytest.fixture(scope="module")
def doctors(stack: Stack) -> str:
    """Moderate hair loss beside sebum and dandruff."""
    return report(stack, (0, 2, 0, 0, 1, 2))


@pytest.fixture(scope="module")
def severe(stack: Stack) -> str:
    return report(stack, (0, 2, 0, 3, 0, 1))


def fits(page: Page) -> bool:
    """Whether nothing is wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


@SIZES
@LANGUAGES
def test_from_the_report_to_four_products_and_why(
    visit: Visit, oily: str, language: str, size: tuple[int, int]
) -> None:
    page = visit(f"/analyses/{oily}/", language=language, size=size)
    page.get_by_role("link", name="내 두피에 맞는 제품" if language == "ko" else "Products that may suit you").click()
    page.wait_for_url(re.compile("/products/$"))
    cards = page.locator(".shelf .product")
    expect(cards).to_have_count(4)
    for number in range(4):
        said = "지성|피지과다|비듬" if language == "ko" else "oily|Excess sebum|Dandruff"
        expect(cards.nth(number).locator(".why")).to_contain_text(re.compile(said))
        expect(cards.nth(number).get_by_role("link")).to_have_attribute("rel", re.compile("noreferrer"))
    names = cards.locator("h3").all_inner_texts()
    page.reload()
    assert cards.locator("h3").all_inner_texts() == names, "the same order again"
    assert fits(page)


def test_a_click_goes_out_without_a_trace_and_is_counted_once(visit: Visit, stack: Stack) -> None:
    analysis = report(stack, (0, 1, 0, 0, 0, 0))
    page = visit(f"/analyses/{analysis}/products/", language="en")
    before = int(stack.query("SELECT count(*) FROM products_click")[0][0])
    asked: list[dict[str, str]] = []

    def shop(route: Route) -> None:
        asked.append(route.request.headers)
        route.fulfill(body="<h1>a shop</h1>", content_type="text/html")

    page.context.route("https://products.example/**", shop)
    for _ in range(2):
        with page.context.expect_page() as opened:
            page.get_by_role("link", name=re.compile("View product")).first.click()
        expect(opened.value.locator("h1")).to_have_text("a shop")
        assert opened.value.evaluate("[document.referrer, window.opener]") == ["", None]
        opened.value.close()
    assert len(asked) == 2
    assert not any("referer" in headers or "cookie" in headers for headers in asked)
    assert int(stack.query("SELECT count(*) FROM products_click")[0][0]) == before + 1
    [click] = stack.query("SELECT skin, pred, sex, age FROM products_click ORDER BY id DESC LIMIT 1")
    assert click == ("지성", "경증", "여", "30대")


@SIZES
@LANGUAGES
def test_a_doctor_comes_before_products(
    visit: Visit, doctors: str, severe: str, language: str, size: tuple[int, int]
) -> None:
    page = visit(f"/analyses/{doctors}/products/", language=language, size=size)
    doctor, first = page.locator(".doctor").bounding_box(), page.locator(".product").first.bounding_box()
    assert doctor
    assert first
    assert doctor["y"] + doctor["height"] <= first["y"]
    expect(page.locator(".doctor")).to_contain_text("탈모" if language == "ko" else "Hair loss")
    page.goto(page.url.replace(doctors, severe))
    expect(page.locator(".product")).to_have_count(0)
    expect(page.locator(".doctor")).to_contain_text("쓰지 마세요" if language == "ko" else "try anything new")
    page.locator(".doctor").get_by_role("link").first.click()
    page.wait_for_url(re.compile("/clinics/$"))


@SIZES
@LANGUAGES
def test_the_catalog_is_reached_from_the_foot_and_works_without_a_script(
    visit: Visit, language: str, size: tuple[int, int]
) -> None:
    page = visit("/", language=language, size=size, javascript=False)
    page.locator(".foot").get_by_role("link", name="두피 제품" if language == "ko" else "Scalp products").click()
    page.wait_for_url(re.compile("/products/$"))
    expect(page.locator(".product")).to_have_count(16)
    expect(page.locator(".notice")).to_contain_text("예시" if language == "ko" else "samples")
    assert "예시 " not in page.locator(".product h3").first.inner_text() or language == "ko"


@LANGUAGES
def test_axe_finds_nothing_on_the_pages_of_products(
    visit: Visit, oily: str, doctors: str, severe: str, language: str
) -> None:
    page = visit("/products/", language=language)
    axe_finds_nothing(page)
    for analysis in (oily, doctors, severe):
        page.goto(re.sub("/(analyses/.*)?products/$", f"/analyses/{analysis}/products/", page.url))
        axe_finds_nothing(page)


@LANGUAGES
def test_axe_finds_nothing_on_the_page_of_rates(visit: Visit, stack: Stack, oily: str, language: str) -> None:
    visit(f"/analyses/{oily}/products/")
    code = "from django.contrib.auth import get_user_model as m; m().objects.filter(username='rates').delete(); "
    code += "m().objects.create_superuser('rates', password='a long word for tests')"
    stack.shell.run(code)
    page = visit("/admin/login/?next=/admin/products/rates/", language=language, size=DESK)
    page.fill("[name=username]", "rates")
    page.fill("[name=password]", "a long word for tests")
    page.click("[type=submit]")
    expect(page.locator("tbody tr").first).to_be_visible()
    axe_finds_nothing(page)
