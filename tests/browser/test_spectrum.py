"""The spectrum leads to the signs."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ml.labels import SYMPTOMS
from tests.browser.conftest import PHONE, Visit
from tests.support.stack import Stack


@pytest.fixture
def report(stack: Stack) -> str:
    """The address of a report."""
    analysis = stack.submit().json()["id"]
    assert stack.wait(analysis)["status"] == "succeeded"
    return f"/analyses/{analysis}/"


def test_a_tap_on_a_hair_jumps_to_its_sign(visit: Visit, report: str) -> None:
    page = visit(report, language="en", size=PHONE)
    drawing = page.locator(".strands").first
    for place, symptom in enumerate(SYMPTOMS):
        box = drawing.bounding_box()
        assert box
        name = page.locator(".hair-names li").nth(place).bounding_box()
        assert name
        drawing.click(position={"x": name["x"] + name["width"] / 2 - box["x"], "y": box["height"] / 3})
        expect(page.locator(f"#sign-{symptom.key}")).to_be_in_viewport()
        assert page.url.endswith(f"#sign-{symptom.key}")
        page.evaluate("scrollTo(0, 0)")
