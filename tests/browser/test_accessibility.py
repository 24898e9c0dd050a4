"""axe-core over every page in every state, by day and by night, on a phone and on a desk."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Visit, axe_finds_nothing, fill, lose_posts, resting_models, send, unfold
from tests.support.stack import Stack


def reported(stack: Stack) -> str:
    analysis = stack.submit().json()["id"]
    stack.wait(analysis)
    return f"/analyses/{analysis}/"


def shared(stack: Stack) -> str:
    analysis = reported(stack).split("/")[2]
    link = stack.rows(f"str(Share.objects.create(analysis_id='{analysis}', expires_at='2999-01-01T00:00Z').pk)")
    return f"/shared/{link}/"


def refused(stack: Stack) -> str:
    black = io.BytesIO()
    Image.new("RGB", (320, 320)).save(black, "JPEG")
    analysis = stack.submit(black.getvalue()).json()["id"]
    assert stack.wait(analysis)["status"] == "rejected"
    return f"/analyses/{analysis}/"


def canceled(stack: Stack) -> str:
    with resting_models(stack):
        analysis = stack.submit().json()["id"]
        stack.rows(f"Analysis.objects.filter(pk='{analysis}').update(status='canceled')")
    return f"/analyses/{analysis}/"


def failed(stack: Stack) -> str:
    address = canceled(stack)
    analysis = address.split("/")[2]
    stack.rows(f"Analysis.objects.filter(pk='{analysis}').update(status='failed', code='model_error')")
    return address


def erased(stack: Stack) -> str:
    address = reported(stack)
    stack.rows(f"[Erasure.objects.create(pk='{address.split('/')[2]}').erased_at.isoformat()]")
    stack.rows(f"Analysis.objects.filter(pk='{address.split('/')[2]}').delete()[0]")
    stack.rows("Human.objects.filter(analysis=None).delete()[0]")
    return address


STATES: dict[str, Callable[[Stack], str]] = {
    "home": lambda stack: "/",
    "sample": lambda stack: "/sample/",
    "report": reported,
    "shared": shared,
    "refused": refused,
    "canceled": canceled,
    "failed": failed,
    "erase": lambda stack: reported(stack) + "erase/",
    "erased": erased,
    "history": lambda stack: "/history/",
    "offline": lambda stack: "/offline/",
    "nothing there": lambda stack: "/nothing-here/",
}


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_on_the_page(visit: Visit, stack: Stack, state: str, language: str) -> None:
    axe_finds_nothing(visit(STATES[state](stack), language=language))


def test_axe_finds_nothing_while_the_photo_waits_and_while_models_look(visit: Visit, stack: Stack) -> None:
    with resting_models(stack):
        analysis = stack.submit().json()["id"]
        page = visit(f"/analyses/{analysis}/")
        expect(page.locator("[aria-current=step]")).to_contain_text("차례 기다리기")
        axe_finds_nothing(page)
        row = f"Analysis.objects.filter(pk='{analysis}')"
        stack.rows(f"{row}.update(status='running', models_done=3, lease_until=None)")
        expect(page.locator("[aria-current=step]")).to_contain_text("4번째")
        axe_finds_nothing(page)
        stack.rows(f"{row}.update(status='canceled')")


def test_axe_finds_nothing_on_a_form_that_was_refused(visit: Visit, photo: Path) -> None:
    page = visit()
    fill(page, photo, consent=False)
    send(page)
    expect(page.locator("#consent-error")).not_to_be_empty()
    axe_finds_nothing(page)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_axe_passes_the_form_with_a_photo_a_crop_frame_and_no_connection(
    visit: Visit, photo: Path, language: str
) -> None:
    page = visit(language=language)
    lose_posts(page)
    fill(page, photo)
    page.click("#crop-toggle")
    expect(page.locator("#crop")).to_be_visible()
    send(page)
    expect(page.locator("#discard")).to_be_visible()
    axe_finds_nothing(page)


def test_axe_passes_the_form_with_a_drawn_scalp_and_with_the_camera(visit: Visit) -> None:
    page = visit()
    page.click(".samples summary")
    page.check("[name=sample][value=flaky]")
    expect(page.locator("#drawn")).to_be_visible()
    axe_finds_nothing(page)
    page.click("#live")
    expect(page.locator("#camera")).to_be_visible()
    axe_finds_nothing(page)


def test_axe_finds_nothing_while_the_service_is_away(visit: Visit, stack: Stack) -> None:
    with resting_models(stack):
        analysis = stack.submit().json()["id"]
        page = visit(f"/analyses/{analysis}/")
        page.route("**/analyses/**", lambda route: route.fulfill(status=502))
        expect(page.locator("#trouble")).to_contain_text("서비스가 답하지 않아요")
        axe_finds_nothing(page)
        page.unroute("**/analyses/**")
    expect(page.locator("[id^=sign-]")).to_have_count(6)


@pytest.mark.parametrize("state", STATES)
def test_all_that_is_pressed_is_as_large_as_a_thumb(visit: Visit, stack: Stack, state: str) -> None:
    page = visit(STATES[state](stack))
    unfold(page)
    pressed = ("button", ".button", ".choices label", ".agree", ".zone", ".mark", "select", "summary")
    sizes = page.locator(", ".join(f"{one}:visible" for one in pressed)).evaluate_all(
        "all => all.map(one => [one.textContent.trim(), one.getBoundingClientRect().height])"
    )
    assert sizes
    assert not [(words, height) for words, height in sizes if height < 48]
