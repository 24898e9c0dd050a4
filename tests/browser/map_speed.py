"""How fast the map of 20,000 clinics is there, and how smoothly it moves: `python -m tests.browser.map_speed`.

A browser that knows nothing yet loads the page from a web server on the same machine. The view is first when all
clinics are on the map and in the list. Then a mouse pulls the map about for some seconds, and what is counted are the
frames that the browser drew: it draws at most 60 a second.
"""

from __future__ import annotations

import math
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import DESK, PHONE
from tests.support.environment import SCRATCH
from tests.support.stack import Stack

ROUNDS = 5
FIRST_VIEW_SECONDS, FRAMES_A_SECOND = 2.0, 50.0

FIRST_VIEW = """() => new Promise((done) => {
  const look = () => {
    const page = document.getElementById("clinics");  // Not there yet, maybe.
    if (page && "ready" in page.dataset) requestAnimationFrame(() => done(performance.now()));
    else setTimeout(look, 5);
  };
  look();
})"""
GO = "([place, zoom]) => { document.getElementById('clinics').map.map.setView(place, zoom, { animate: false }); }"
#: Counts frames from when it is called until `frames()` is.
COUNT = """() => {
  let count = 0, on = true;
  const begun = performance.now();
  const step = () => { count += 1; if (on) requestAnimationFrame(step); };
  requestAnimationFrame(step);
  window.frames = () => { on = false; return count / ((performance.now() - begun) / 1000); };
}"""
PULL_SECONDS = 2.0
TOWNS = {"all of Korea": ((36.2, 127.8), 7), "Seoul": ((37.517, 127.047), 12), "one quarter": ((37.517, 127.047), 15)}


def measured(browser: Browser, url: str, size: tuple[int, int]) -> tuple[float, dict[str, float]]:
    """Seconds until the first view, and frames a second over each town, of a browser that begins anew."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    page.goto(f"{url}/clinics/", wait_until="commit")
    first = page.evaluate(FIRST_VIEW) / 1000
    page.click("#fold summary")
    page.locator("#map .cluster").first.wait_for()
    frames = {}
    for town, (place, zoom) in TOWNS.items():
        page.evaluate(GO, [place, zoom])
        page.wait_for_timeout(500)
        frames[town] = pulled(page)
    context.close()
    return first, frames


def pulled(page: Page) -> float:
    """Frames a second while a mouse pulls the map about in circles."""
    page.locator("#map").scroll_into_view_if_needed()
    box = page.locator("#map").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(COUNT)
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < PULL_SECONDS:
        page.mouse.move(x + 100 * math.sin(4 * passed), y + 100 * math.cos(4 * passed) - 100)
    frames = float(page.evaluate("window.frames()"))
    page.mouse.up()
    return frames


def main() -> int:
    folder = Path(tempfile.mkdtemp(dir=SCRATCH))
    stack = Stack(folder, folder)
    falls_short = False
    try:
        stack.up_web()
        stack.manage("sample_clinics")
        with sync_playwright() as playwright:
            program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
            arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            browser = playwright.chromium.launch(executable_path=program, args=arguments)
            for name, size in (("phone", PHONE), ("desk", DESK)):
                rounds = [measured(browser, stack.url, size) for _ in range(ROUNDS)]
                first = statistics.median(seconds for seconds, _ in rounds)
                frames = {town: statistics.median(found[town] for _, found in rounds) for town in TOWNS}
                told = ", ".join(f"{town} {rate:.0f}" for town, rate in frames.items())
                print(f"{name}: first view {first:.2f} s; frames a second: {told}")
                falls_short |= first > FIRST_VIEW_SECONDS or min(frames.values()) < FRAMES_A_SECOND
    finally:
        stack.down()
    return int(falls_short)


if __name__ == "__main__":
    sys.exit(main())
