"""Draws the icons of the installed app from `static/img/mark.svg`: `python frontend/icons.py`.

Needs Chromium and Playwright, as the tests of the pages do. The pictures are tracked, so only a new mark needs it.
"""

from __future__ import annotations

import base64
import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent / "static" / "img"
PAPER = "#f6f2ea"
#: Name, side in pixels, share of it that the mark takes, ground. Phones cut a maskable icon to a shape of theirs, of
#: which no more is sure than a circle of four fifths of the side; a square within takes .56 of it, and the mark's own
#: margin the rest. iOS rounds corners itself and shows black where a picture shows nothing.
ICONS = (
    ("icon-192", 192, 1.0, "transparent"),
    ("icon-512", 512, 1.0, "transparent"),
    ("icon-maskable-512", 512, 0.64, PAPER),
    ("icon-apple-180", 180, 0.84, PAPER),
)


def draw(page: Page, side: int, share: float, ground: str) -> Image.Image:
    """The mark in the middle of a square of its ground."""
    mark = base64.b64encode((FOLDER / "mark.svg").read_bytes()).decode()
    page.set_viewport_size({"width": side, "height": side})
    page.set_content(
        f"<body style='margin:0;height:100vh;display:grid;place-items:center;background:{ground}'>"
        f"<img src='data:image/svg+xml;base64,{mark}' width='{side * share:g}' height='{side * share:g}'>"
    )
    return Image.open(io.BytesIO(page.screenshot(omit_background=True)))


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--headless", "--no-sandbox"]
        )
        page = browser.new_page()
        for name, side, share, ground in ICONS:
            icon = draw(page, side, share, ground)
            icon.convert("RGBA" if ground == "transparent" else "RGB").save(FOLDER / f"{name}.png", optimize=True)
        browser.close()


if __name__ == "__main__":
    main()
