"""The pages as an app on a phone, and without a connection."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import requests
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import ANALYSIS, Visit, fill, send, wait_until
from tests.support.stack import Stack


def controlled(page: Page) -> Page:
    """Wait until the service worker has taken charge of the page."""
    page.evaluate("navigator.serviceWorker.ready")
    wait_until(page, "navigator.serviceWorker.controller?.state === 'activated'")
    return page


def kept(page: Page) -> set[str]:
    """The paths of all that the service worker keeps."""
    return set(
        page.evaluate(
            """async () => {
                const paths = [];
                for (const name of await caches.keys()) {
                    const shelf = await caches.open(name);
                    for (const request of await shelf.keys()) paths.push(new URL(request.url).pathname);
                }
                return paths;
            }"""
        )
    )


@pytest.mark.parametrize("language", ["ko", "en"])
def test_chromium_accepts_the_manifest_and_the_size_of_every_icon(visit: Visit, stack: Stack, language: str) -> None:
    page = controlled(visit(language=language))
    devtools = page.context.new_cdp_session(page)
    found = devtools.send("Page.getAppManifest")
    assert not found["errors"]
    assert found["url"] == f"{stack.url}/manifest.webmanifest"
    manifest = page.evaluate(
        "async () => (await fetch(document.querySelector('link[rel=manifest]').href)).json()",
    )
    assert manifest["lang"] == language
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}
    for icon in manifest["icons"]:
        answer = requests.get(stack.url + icon["src"], timeout=10)
        assert answer.headers["Content-Type"] == icon["type"]
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert f"{picture.width}x{picture.height}" == icon["sizes"]
    errors = {error["errorId"] for error in devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]}
    assert errors <= {"in-incognito"}, "all but that the tests' windows are private ones"


@pytest.mark.parametrize(("language", "said"), [("ko", "지금은 연결되지 않아요"), ("en", "We can’t be reached")])
def test_without_a_connection_the_page_says_so_and_goes_on_when_it_is_back(
    visit: Visit, stack: Stack, language: str, said: str
) -> None:
    page = controlled(visit(language=language))
    page.context.set_offline(True)
    page.goto(f"{stack.url}/sample/")
    expect(page.locator("h1")).to_contain_text(said)
    assert page.locator("html").get_attribute("lang") == language
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 242, 234)"
    page.context.set_offline(False)
    expect(page.locator("[id^=sign-]")).to_have_count(6)
    assert page.url == f"{stack.url}/sample/"


def test_a_switch_of_the_language_is_followed_without_a_connection_too(visit: Visit, stack: Stack) -> None:
    page = visit("/healthz")
    # By the cookie, since what Playwright says of the language does not reach the request for the worker itself.
    page.context.add_cookies([{"name": "django_language", "value": "ko", "url": stack.url}])
    page.goto(stack.url)
    controlled(page)
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.evaluate("navigator.serviceWorker.ready.then((registration) => registration.update())")
    wait_until(
        page,
        """async () => {
            const page = await caches.match("/offline/");
            return (await page.text()).includes('<html lang="en"') && (await caches.keys()).length === 1;
        }""",
    )
    page.context.set_offline(True)
    page.goto(f"{stack.url}/sample/")
    expect(page.locator("h1")).to_contain_text("We can’t be reached")


@pytest.mark.parametrize("language", ["ko", "en"])
def test_saved_reports_open_without_a_connection(visit: Visit, stack: Stack, language: str) -> None:
    analysis = stack.submit().json()["id"]
    stack.wait(analysis)
    page = controlled(visit(f"/analyses/{analysis}/", language=language))
    page.locator(".save-button button[value=keep]").click()
    expect(page.locator(".save-button a")).to_be_visible()
    page.context.set_offline(True)
    page.goto(f"{stack.url}/history/")
    expect(page.locator(".entry")).to_have_count(1)
    expect(page.locator(".entry img")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == language
    assert page.evaluate("getComputedStyle(document.querySelector('.strip ol')).display") == "grid"
    page.locator(".entry").get_by_role("button").first.click()
    page.locator("#ask .danger").click()
    expect(page.locator("#empty")).to_be_visible()


def test_nothing_with_an_id_no_form_and_no_result_is_kept(visit: Visit, stack: Stack, photo: Path) -> None:
    page = controlled(visit())
    fill(page, photo)
    send(page)
    page.wait_for_url(ANALYSIS)
    expect(page.locator("[id^=sign-]")).to_have_count(6)
    page.reload()
    page.goto(page.url + "erase/")
    page.goto(f"{stack.url}/history/")
    expect(page.locator("#empty")).to_be_visible()
    paths = kept(page)
    pages = {path for path in paths if not path.startswith("/static/")}
    assert pages == {"/offline/", "/history/"}
    assert all(path.endswith((".css", ".js", ".svg")) for path in paths - pages)


def test_a_report_opened_without_a_connection_is_not_shown_from_anywhere(visit: Visit, stack: Stack) -> None:
    analysis = stack.submit().json()["id"]
    stack.wait(analysis)
    page = controlled(visit(f"/analyses/{analysis}/"))
    expect(page.locator("[id^=sign-]")).to_have_count(6)
    page.context.set_offline(True)
    page.reload()
    expect(page.locator("h1")).to_have_text("지금은 연결되지 않아요")
    expect(page.locator("[id^=sign-]")).to_have_count(0)
    page.context.set_offline(False)
    expect(page.locator("[id^=sign-]")).to_have_count(6)
