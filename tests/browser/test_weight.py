"""What the first page costs somebody on a phone's data plan, and that it costs that once."""

from __future__ import annotations

import re

from tests.browser.conftest import Visit

LIMIT = 120 * 1024


def test_the_first_page_brings_at_most_120_kb_over_the_wire(visit: Visit) -> None:
    page = visit("/healthz")
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    weights: list[float] = []
    network.on("Network.loadingFinished", lambda loaded: weights.append(loaded["encodedDataLength"]))
    page.goto(page.url.replace("/healthz", "/"), wait_until="networkidle")
    assert len(weights) > 5, "the page's files were not counted"
    assert sum(weights) <= LIMIT


def test_every_file_of_the_page_has_a_name_that_changes_with_its_content(visit: Visit) -> None:
    page = visit("/healthz")
    files: list[str] = []
    page.on("request", lambda asked: files.append(asked.url) if "/static/" in asked.url else None)
    page.goto(page.url.replace("/healthz", "/"), wait_until="networkidle")
    assert any("/js/quality." in name for name in files), "the modules were not loaded"
    assert not [name for name in files if not re.search(r"\.[0-9a-f]{12}\.", name)]
