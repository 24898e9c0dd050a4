"""What a phone needs to take the pages for an app: the manifest, its icons, the service worker, the offline page."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from PIL import Image

from backend.analyses.pages.pwa import HISTORY_FILES, ICONS, OFFLINE_FILES, PAPER
from tests.support.environment import ROOT

STATIC = ROOT / "frontend" / "static"

pytestmark = pytest.mark.django_db


def test_the_manifest_has_the_reader_s_language_and_the_page_s_color(visitor: Client) -> None:
    english = visitor.get("/manifest.webmanifest")
    korean = visitor.get("/manifest.webmanifest", headers={"Accept-Language": "ko"})
    assert english["Content-Type"] == "application/manifest+json"
    assert (english.json()["lang"], korean.json()["lang"]) == ("en", "ko")
    assert re.search("[가-힣]", korean.json()["description"])
    assert not re.search("[가-힣]", str(english.json()))
    paper = re.search(r"--paper: (#[0-9a-f]{6})", (STATIC / "css" / "tokens.css").read_text())
    assert paper
    assert {english.json()["theme_color"], english.json()["background_color"], PAPER} == {paper[1]}


@pytest.mark.parametrize(("name", "side", "purpose"), [*ICONS, ("icon-apple-180", 180, "apple")])
def test_an_icon_has_its_size_and_shows_no_black_where_it_is_cut_to_shape(name: str, side: int, purpose: str) -> None:
    with Image.open(STATIC / "img" / f"{name}.png") as icon:
        assert icon.size == (side, side)
        assert (icon.mode == "RGB") == (purpose != "any")
        if purpose == "maskable":
            # Of a maskable icon no more is sure to be seen than a circle of four fifths of its side.
            ground = icon.getpixel((0, 0))
            middle, radius = (side - 1) / 2, side * 0.4
            drawn = [
                (x, y) for x in range(side) for y in range(side) if _apart(icon.getpixel((x, y)), ground) > 24
            ]  # fmt: skip
            assert drawn
            assert max((x - middle) ** 2 + (y - middle) ** 2 for x, y in drawn) <= radius**2


def _apart(one: object, other: object) -> int:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))  # type: ignore[call-overload]


def test_the_service_worker_differs_only_by_language(visitor: Client) -> None:
    first, again = (visitor.get("/sw.js") for _ in range(2))
    korean = visitor.get("/sw.js", headers={"Accept-Language": "ko"})
    assert first["Content-Type"] == "text/javascript"
    assert first["Cache-Control"] == "no-cache"
    assert first.content == again.content != korean.content


def test_the_offline_page_uses_only_cached_files_and_has_no_form(visitor: Client) -> None:
    page = visitor.get("/offline/").content.decode()
    assert "<form" not in page
    assert "csrf" not in page
    files = set(re.findall(r'(?:href|src)="/static/([^"]+)"', page)) - {"img/icon-apple-180.png"}
    assert files == set(OFFLINE_FILES)
    assert not visitor.get("/offline/").cookies


def imported_modules(name: str) -> set[str]:
    """The module itself and all that it imports, directly or not, as paths below the static files."""
    found, ahead = set(), {f"js/{name}"}
    while ahead:
        path = ahead.pop()
        found.add(path)
        ahead |= {f"js/{other}" for other in re.findall(r'from "\./([^"]+)"', (STATIC / path).read_text())} - found
    return found


def test_saved_reports_use_only_cached_files_and_have_no_token(visitor: Client) -> None:
    page = visitor.get("/history/?shell").content.decode()
    assert "csrf" not in page
    named = set(re.findall(r'(?:href|src)="/static/([^"]+)"', page)) - {"img/icon-apple-180.png"}
    modules = {
        module for file in named if file.endswith(".js") for module in imported_modules(file.removeprefix("js/"))
    }
    assert named | modules == {*OFFLINE_FILES, *HISTORY_FILES} - {"js/offline.js"}
    assert not visitor.get("/history/?shell").cookies
    assert "csrf" in visitor.get("/history/").content.decode()
