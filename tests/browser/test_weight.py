"""What the first page costs somebody on a phone's data plan."""

from __future__ import annotations

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
