"""No page is cut off or wider than its screen: on the narrowest phone, and with letters of twice their size."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from django.http import HttpRequest
from django.utils import translation
from playwright.sync_api import Page, expect

from backend.config.problems import handler_500
from tests.browser.conftest import Visit, resting_models, unfold
from tests.browser.test_accessibility import erased, failed, refused, reported, shared
from tests.support.stack import Stack

NARROW, PHONE = (320, 640), (390, 844)

#: Elements that stick out of the page, and those whose words stick out of them or of what cuts them off. What may be
#: scrolled sideways is named and focusable, maps and photos are no words, and what is hidden on purpose is 1 px wide.
CUT_OFF = """() => {
  const wide = document.documentElement.clientWidth, found = new Set();
  const scrolls = (one) => one.closest("[role=region][tabindex='0'], .map, .visually-hidden");
  const name = (one) => `${one.tagName.toLowerCase()}.${one.className.baseVal ?? one.className}`;
  const note = (one, words, what) => found.add(`${name(one)} “${words.trim().slice(0, 40)}” ${what}`);
  const shown = (one) => one.checkVisibility({ contentVisibilityAuto: true }) && one.getBoundingClientRect().width > 0;
  const cuts = (one) => {
    const { overflowX, position } = getComputedStyle(one);
    return overflowX !== "visible" && position !== "absolute";
  };
  for (const one of document.body.querySelectorAll("*")) {
    if (one.closest("svg, template, script, noscript, .skip") || scrolls(one) || !shown(one)) continue;
    const { left, right } = one.getBoundingClientRect();
    if (left < -1 || right > wide + 1) note(one, one.textContent, `is from ${left} to ${right} of ${wide}`);
    for (const node of one.childNodes) {
      if (node.nodeType !== Node.TEXT_NODE || !node.textContent.trim()) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const line of range.getClientRects()) {
        if (line.left < -1 || line.right > wide + 1) note(one, node.textContent, "leaves the page");
        for (let around = one; around !== document.body; around = around.parentElement) {
          const edge = around.getBoundingClientRect();
          if (!cuts(around) || (line.left >= edge.left - 1 && line.right <= edge.right + 1)) continue;
          note(one, node.textContent, `is cut off by ${name(around)}`);
        }
      }
    }
    if (one.matches(".button, .choices span, th, td, h1, h2, h3, dt, dd") && one.scrollWidth > one.clientWidth + 1
      && getComputedStyle(one).display !== "inline") note(one, one.textContent, "sticks out of its box");
  }
  for (const names of document.querySelectorAll(".hair-names")) {
    const boxes = [...names.querySelectorAll("span")].filter(shown).map((one) => {
      const range = document.createRange();
      range.selectNodeContents(one); // Without the room above it.
      return [one, range.getBoundingClientRect()];
    });
    for (const [one, a] of boxes) for (const [other, b] of boxes) {
      const apart = a.right <= b.left + 1 || b.right <= a.left + 1 || Math.abs(a.top - b.top) > a.height / 2;
      if (one !== other && !apart) note(one, one.textContent, `lies over “${other.textContent}”`);
    }
  }
  if (document.documentElement.scrollWidth > innerWidth) found.add(`${document.documentElement.scrollWidth} px wide`);
  return [...found];
}"""


def first_clinic(stack: Stack) -> int:
    return int(requests.get(f"{stack.url}/api/v1/clinics/", timeout=30).json()["clinics"][0]["id"])


def following(page: str) -> Callable[[Stack], str]:
    """A page that a report leads to."""
    return lambda stack: f"{reported(stack)}{page}/"


PAGES: dict[str, Callable[[Stack], str]] = {
    "home": lambda stack: "/",
    "sample": lambda stack: "/sample/",
    "report": reported,
    "doctor": following("doctor"),
    "suggestions": following("products"),
    "own statistics": following("statistics"),
    "own questions": following("questions"),
    "erase": following("erase"),
    "shared": shared,
    "refused": refused,
    "failed": failed,
    "history": lambda stack: "/history/",
    "clinics": lambda stack: "/clinics/",
    "clinic": lambda stack: f"/clinics/{first_clinic(stack)}/",
    "products": lambda stack: "/products/",
    "statistics": lambda stack: "/statistics/",
    "small group": lambda stack: "/statistics/?sex=female&age=70s",
    "questions": lambda stack: "/questions/",
    "question": lambda stack: "/questions/wash-how-often/",
    "offline": lambda stack: "/offline/",
    "404": lambda stack: "/nothing-here/",
    "410": erased,
    "ended link": lambda stack: f"/shared/{uuid.uuid4()}/",
}


@pytest.fixture(scope="module", autouse=True)
def filled(stack: Stack) -> Iterator[None]:
    """Clinics, products, questions and results, so that no page is empty."""
    stack.manage("sample_clinics")
    stack.manage("sample_products")
    stack.manage("load_questions")
    human = "Human(sex='여', age='30대', skin='탈모성', pred='중등도')"
    stack.rows(f"len(Human.objects.bulk_create([{human} for _ in range(90)]))")
    stack.manage("publish_statistics")
    yield
    stack.manage("sample_clinics", "--remove")
    stack.manage("sample_products", "--remove")
    stack.rows("Human.objects.filter(analysis=None).delete()[0]")
    stack.manage("publish_statistics")


def assert_nothing_is_cut_off(page: Page) -> None:
    unfold(page)
    for (width, height), letters in ((NARROW, "100%"), (PHONE, "200%")):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("size => { document.documentElement.style.fontSize = size }", letters)
        assert page.evaluate(CUT_OFF) == [], f"at {width} px, letters of {letters}"


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_off(visit: Visit, stack: Stack, name: str, language: str) -> None:
    page = visit(PAGES[name](stack), language=language)
    if name == "clinics":
        expect(page.locator("#clinics[data-ready]")).to_be_attached()
    assert_nothing_is_cut_off(page)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_nothing_is_cut_off_while_a_photo_waits(visit: Visit, stack: Stack, language: str) -> None:
    with resting_models(stack):
        analysis = stack.submit().json()["id"]
        page = visit(f"/analyses/{analysis}/", language=language)
        expect(page.locator("[aria-current=step]")).to_be_visible()
        assert_nothing_is_cut_off(page)
        stack.rows(f"Analysis.objects.filter(pk='{analysis}').update(status='canceled')")


@pytest.mark.parametrize("language", ["ko", "en"])
def test_nothing_is_cut_off_with_saved_reports(visit: Visit, stack: Stack, language: str) -> None:
    page = visit(reported(stack), language=language)
    for path in (reported(stack), None):
        offer = page.locator("button[value=keep]:visible")
        offer.first.click()
        expect(offer).to_have_count(0)
        if path:
            page.goto(stack.url + path)
    page.goto(f"{stack.url}/history/")
    expect(page.locator(".entry")).to_have_count(2)
    expect(page.locator("#pair")).to_be_visible()
    assert_nothing_is_cut_off(page)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_nothing_is_cut_off_on_the_pages_of_errors(visit: Visit, stack: Stack, settings: Any, language: str) -> None:
    page = visit(language=language, javascript=False)  # No service worker then, which would fetch past the route.
    page.context.clear_cookies()
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        page.locator(".languages button:visible").click()
    assert answered.value.status == 403
    assert_nothing_is_cut_off(page)

    settings.STORAGES = {
        **settings.STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }  # fmt: skip
    request = HttpRequest()
    request.method, request.path = "GET", "/broken/"
    request.META["SERVER_NAME"], request.META["SERVER_PORT"] = "localhost", "80"
    with translation.override(language):
        html = handler_500(request).content.decode()
    page.route("**/broken/", lambda route: route.fulfill(status=500, content_type="text/html", body=html))
    page.goto(f"{stack.url}/broken/")
    expect(page.locator("code")).to_be_visible()
    assert_nothing_is_cut_off(page)


def test_a_page_with_too_wide_words_is_found_out(visit: Visit) -> None:
    page = visit("/offline/")
    page.evaluate("document.querySelector('h1').style.whiteSpace = 'nowrap'")
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    assert page.evaluate(CUT_OFF)
