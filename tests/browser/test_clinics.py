"""Clinics in Chromium: 20,000 invented ones on a map without pictures, and in a list."""

from __future__ import annotations

import gzip
import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from backend.clinics.romanization import romanize
from tests.browser.conftest import DESK, PHONE, Visit, axe_finds_nothing, wait_until
from tests.support.stack import Stack

SEOUL = (37.517, 127.047)
#: What is drawn: numbers on clusters as one reads them, and single markers; and of all markers, clusters counted
#: through, how many lie in view.
LOOK = """() => {
  const { map } = document.getElementById("clinics").map;
  const view = map.getBounds(), found = { inView: 0, through: 0, single: 0, read: 0 };
  const seen = (marker) => { if (view.contains(marker.getLatLng())) found.inView += 1; };
  map.eachLayer((layer) => {
    if (!(layer instanceof L.Marker)) return;
    if (layer.getAllChildMarkers) {
      found.through += layer.getChildCount();
      layer.getAllChildMarkers().forEach(seen);
    } else {
      found.single += 1;
      seen(layer);
    }
  });
  for (const cluster of document.querySelectorAll("#map .cluster")) found.read += Number(cluster.textContent);
  found.pins = document.querySelectorAll("#map .pin").length;
  found.bounds = [view.getSouth(), view.getWest(), view.getNorth(), view.getEast()];
  return found;
}"""

IN_THE_MIDDLE = """() => {
  const { left, top, width, height } = document.getElementById("map").getBoundingClientRect();
  return document.elementFromPoint(left + width / 2, top + height / 2).closest(".cluster").textContent;
}"""
NEAREST_THE_MIDDLE = """(pins) => {
  const middle = (box) => [box.left + box.width / 2, box.top + box.height / 2];
  const [x, y] = middle(document.getElementById("map").getBoundingClientRect());
  const far = (pin) => { const [a, b] = middle(pin.getBoundingClientRect()); return Math.hypot(a - x, b - y); };
  return pins.reduce((best, pin, place) => (far(pin) < far(pins[best]) ? place : best), 0);
}"""


@pytest.fixture(scope="module")
def clinics(stack: Stack) -> Iterator[list[dict[str, Any]]]:
    """What the service has of each clinic."""
    stack.manage("sample_clinics")
    answer = requests.get(f"{stack.url}/api/v1/clinics/map/", headers={"Accept-Encoding": "identity"}, timeout=30)
    document = (
        answer.json()
        if isinstance(answer.content, bytes) and answer.content[:1] == b"{"
        else json.loads(gzip.decompress(answer.content))
    )
    yield [dict(zip(document["columns"], row, strict=True)) for row in document["clinics"]]
    stack.manage("sample_clinics", "--remove")


def ready(page: Page) -> Page:
    expect(page.locator("#clinics[data-ready]")).to_be_attached()
    return page


def open_map(page: Page) -> Page:
    page.click("#fold summary")
    expect(page.locator("#map .cluster").first).to_be_visible()
    return page


def moved(page: Page) -> None:
    """Wait until no cluster is splitting or merging: meanwhile the map holds what was and what will be."""
    expect(page.locator("#map .leaflet-cluster-anim")).to_have_count(0)


def go(page: Page, place: tuple[float, float], zoom: int) -> None:
    page.evaluate(
        "([place, zoom]) => { document.getElementById('clinics').map.map.setView(place, zoom, { animate: false }); }",
        [place, zoom],
    )
    moved(page)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_map_shows_every_clinic_in_view_at_every_zoom(
    visit: Visit, clinics: list[dict[str, Any]], size: tuple[int, int]
) -> None:
    page = open_map(ready(visit("/clinics/", size=size)))
    counted = []
    for zoom in range(6, 19):
        go(page, SEOUL, zoom)
        found = page.evaluate(LOOK)
        south, west, north, east = found["bounds"]
        rows = sum(south <= row["latitude"] <= north and west <= row["longitude"] <= east for row in clinics)
        assert found["inView"] == rows, f"at zoom {zoom}"
        assert (found["read"], found["pins"]) == (found["through"], found["single"]), f"at zoom {zoom}"
        expect(page.locator("#count")).to_have_text(re.compile(rf"지도 안 {rows:,}곳"))
        counted.append(rows)
    assert counted[0] == len(clinics) == 20_000, "all of Korea is in view"
    assert 0 < counted[-1] < 20


def test_clinics_at_one_address_fan_out(visit: Visit, clinics: list[dict[str, Any]]) -> None:
    places = [(row["latitude"], row["longitude"]) for row in clinics]
    place = max(set(places), key=places.count)
    page = open_map(ready(visit("/clinics/", size=DESK)))
    go(page, place, 18)
    page.locator("#map").evaluate('map => map.scrollIntoView({ behavior: "instant", block: "center" })')
    pins = page.locator("#map .pin")
    alone = pins.count()
    together = int(page.evaluate(IN_THE_MIDDLE).split()[0])
    assert together >= places.count(place) > 1
    page.locator("#map").click()
    expect(pins).to_have_count(alone + together)
    moved(page)
    pins.nth(pins.evaluate_all(NEAREST_THE_MIDDLE)).click()
    expect(page.locator(".leaflet-popup .clinic h3")).to_contain_text("예시")
    expect(page.locator(".leaflet-popup [data-part=phone]")).to_have_attribute("href", re.compile(r"^tel:000-"))


def test_search_and_nearest_first_ask_nobody(visit: Visit, stack: Stack, clinics: list[dict[str, Any]]) -> None:
    page = ready(visit("/clinics/", language="en", size=DESK))
    page.context.grant_permissions(["geolocation"], origin=stack.url)
    page.context.set_geolocation({"latitude": 35.163, "longitude": 129.163})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.fill("#q", "해운대구")
    expect(page.locator("#count")).to_have_text(f"{sum(row['district'] == '해운대구' for row in clinics):,} clinics")
    page.check("[name=specialist]")
    with_doctor = sum(row["district"] == "해운대구" and row["specialists"] > 0 for row in clinics)
    expect(page.locator("#count")).to_have_text(f"{with_doctor:,} clinics")
    page.click("#near")
    expect(page.locator("#near")).to_have_attribute("aria-pressed", "true")
    distances = [
        float(word.split()[0]) / (1000 if word.endswith(" m") else 1)
        for word in page.locator("#list [data-part=distance]").all_inner_texts()
    ]
    assert len(distances) > 5
    assert distances == sorted(distances)
    expect(page.locator("#count")).to_have_text(f"{with_doctor:,} clinics. The nearest comes first.")
    page.fill("#q", "no such clinic")
    expect(page.locator("#list li")).to_have_count(0)
    expect(page.locator("#count")).to_contain_text("Nothing was found")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert not asked
    assert "?" not in page.url


def test_a_phone_shows_results_before_the_map_and_scrolls_to_the_nearest(
    visit: Visit, stack: Stack, clinics: list[dict[str, Any]]
) -> None:
    page = ready(visit("/clinics/", size=PHONE))
    assert page.locator("#list h3").first.bounding_box()["y"] < PHONE[1]  # type: ignore[index]
    expect(page.locator("#map")).to_be_hidden()
    page.context.grant_permissions(["geolocation"], origin=stack.url)
    page.context.set_geolocation({"latitude": 35.163, "longitude": 129.163})
    page.click("#near")
    expect(page.locator("#found")).to_be_focused()
    expect(page.locator("#count")).to_have_text("20,000곳. 가까운 곳부터 보여 드려요.")
    wait_until(page, "document.querySelector('#list h3').getBoundingClientRect().top < 200")
    assert page.locator("#list h3").first.bounding_box()["y"] >= 0  # type: ignore[index]


@pytest.mark.parametrize(
    "words",
    ["강남구", "gangnam", "Gangnam-gu", "SEOUL gangnamgu", unicodedata.normalize("NFD", "강남구"), "ｇａｎｇｎａｍ"],
)
def test_a_district_is_found_in_any_spelling(visit: Visit, clinics: list[dict[str, Any]], words: str) -> None:
    page = ready(visit("/clinics/", language="en"))
    page.fill("#q", words)
    expected = sum(row["district"] == "강남구" for row in clinics)
    expect(page.locator("#count")).to_have_text(f"{expected:,} clinics")
    expect(page.locator("#list [data-part=romanized]").first).to_contain_text("Yesi ")


def test_the_browser_romanizes_like_the_server(visit: Visit) -> None:
    page = visit("/offline/")
    # Each final before each initial, then each vowel and a text of several scripts.
    finals = [chr(0xAC00 + final) for final in range(28)]
    initials = [chr(0xAC00 + initial * 21 * 28) for initial in range(19)]
    texts = [final + initial for final in finals for initial in initials]
    texts += ["".join(chr(0xAC00 + vowel * 28) for vowel in range(21)), unicodedata.normalize("NFD", "강남 A-1호")]
    script = """async ([texts, spelled]) => {
      const { romanize } = await import("/static/js/clinics/romanization.js");
      return texts.map((text) => romanize(text, { spelled }));
    }"""
    for spelled in (False, True):
        assert page.evaluate(script, [texts, spelled]) == [romanize(text, spelled=spelled) for text in texts]


def test_a_device_that_does_not_tell_where_it_is_is_told_what_else_to_do(visit: Visit, clinics: object) -> None:
    page = ready(visit("/clinics/", language="en"))
    page.click("#near")
    expect(page.locator("#trouble")).to_contain_text("Search for your district instead")


def test_the_list_goes_on_by_keyboard_and_leads_to_each_clinic(visit: Visit, clinics: object) -> None:
    page = ready(visit("/clinics/", language="en"))
    expect(page.locator("#list li")).to_have_count(30)
    page.focus("#more")
    page.keyboard.press("Enter")
    expect(page.locator("#list li")).to_have_count(60)
    expect(page.locator("#list li:nth-child(31) a").first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/clinics/\d+/$"))
    expect(page.locator("h1")).to_contain_text("예시")
    expect(page.locator("a[href^='https://map.kakao.com/link/to/']")).to_be_visible()


def test_without_a_script_the_list_is_searched_by_the_server(visit: Visit, clinics: object) -> None:
    page = visit("/clinics/", language="en", javascript=False)
    page.fill("#q", "춘천시")
    page.click("[data-plain]")
    expect(page.locator("#list li")).to_have_count(30)
    page.get_by_role("link", name="Next").click()
    assert "page=2" in page.url
    expect(page.locator("#list")).to_contain_text("춘천시")
    expect(page.locator("#map")).to_be_hidden()


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("path", ["/clinics/", "/clinics/{}/"])
def test_axe_finds_nothing_on_the_pages_of_clinics(
    visit: Visit, clinics: list[dict[str, Any]], path: str, language: str
) -> None:
    page = visit(path.format(clinics[0]["id"]), language=language)
    if path == "/clinics/":
        ready(page)
    axe_finds_nothing(page)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_axe_finds_nothing_on_the_page_for_the_doctor(visit: Visit, stack: Stack, language: str) -> None:
    analysis = stack.submit().json()["id"]
    stack.wait(analysis)
    page = visit(f"/analyses/{analysis}/", language=language)
    page.get_by_role("link", name="진료 때 보여 줄 요약" if language == "ko" else "A page for your doctor").click()
    page.wait_for_url(re.compile("/doctor/$"))
    expect(page.locator(".seen tbody tr")).to_have_count(6)
    axe_finds_nothing(page)
