"""The photo on its way: whatever happens to the connection, it arrives once."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import ANALYSIS, Visit, analyses, fill, lose_posts, send
from tests.support.environment import until
from tests.support.pictures import drawn, noise
from tests.support.stack import Stack


@pytest.fixture
def large_photo(tmp_path: Path) -> Path:
    """Half a megabyte and more, so that it is on its way for a while."""
    path = tmp_path / "large.jpg"
    Image.blend(drawn(3, (1600, 1200)), noise((1600, 1200)), 0.3).save(path, quality=90)
    assert path.stat().st_size > 500_000
    return path


def cut_while_sending(page: Page, stack: Stack, photo: Path) -> None:
    """The web server stops listening, the photo is sent, and then the connection breaks."""
    fill(page, photo)
    stack.kill("web", signal.SIGSTOP)
    send(page)
    expect(page.locator("#upload")).to_be_visible()
    stack.kill("web")
    expect(page.locator("#notice")).to_be_visible()


def restored(stack: Stack) -> None:
    stack.start("web")
    until(lambda: answers(stack), 120, "the web server")


def answers(stack: Stack) -> bool:
    try:
        return requests.get(f"{stack.url}/healthz", timeout=5).ok
    except requests.RequestException:
        return False


def test_an_interrupted_upload_is_retried_and_makes_one_analysis(visit: Visit, stack: Stack, large_photo: Path) -> None:
    before = analyses(stack)
    page = visit()
    cut_while_sending(page, stack, large_photo)
    expect(page.locator("#notice")).to_contain_text("저절로 다시 보내요")
    restored(stack)
    page.wait_for_url(ANALYSIS, timeout=60_000)
    assert analyses(stack) == before + 1


def test_resending_after_a_lost_answer_makes_only_one_analysis(visit: Visit, stack: Stack, photo: Path) -> None:
    before = analyses(stack)
    page = visit()
    session = page.context.new_cdp_session(page)
    lost: list[str] = []

    def lose(paused: dict[str, Any]) -> None:
        lost.append(paused["requestId"])
        session.send("Fetch.failRequest", {"requestId": paused["requestId"], "errorReason": "ConnectionReset"})
        session.send("Fetch.disable")

    session.on("Fetch.requestPaused", lose)
    session.send("Fetch.enable", {"patterns": [{"resourceType": "XHR", "requestStage": "Response"}]})
    fill(page, photo)
    send(page)
    page.wait_for_url(ANALYSIS)
    assert len(lost) == 1
    assert analyses(stack) == before + 1


def test_a_reload_keeps_photo_and_answers_but_asks_for_consent_again(
    visit: Visit, stack: Stack, large_photo: Path
) -> None:
    before = analyses(stack)
    page = visit()
    cut_while_sending(page, stack, large_photo)
    lose_posts(page)
    restored(stack)
    page.reload()
    expect(page.locator("#notice")).to_contain_text("한 번 더 동의하고")
    expect(page.locator("#file-name")).to_have_text("large.jpg")
    expect(page.locator("#preview")).to_be_visible()
    for name, value in (("sex", "female"), ("age", "30s"), ("device", "phone")):
        expect(page.locator(f"[name={name}][value='{value}']")).to_be_checked()
    expect(page.locator("[name=consent]")).not_to_be_checked()
    send(page)
    expect(page.locator("#consent-error")).not_to_be_empty()
    page.unroute("**/")
    page.check("[name=consent]")
    send(page)
    page.wait_for_url(ANALYSIS)
    assert analyses(stack) == before + 1
    page.goto(stack.url)
    page.wait_for_load_state("networkidle")
    expect(page.locator("#notice")).to_be_hidden()
    assert page.evaluate("document.getElementById('photo').files.length") == 0


def test_what_did_not_arrive_can_be_deleted_from_the_device(visit: Visit, stack: Stack, photo: Path) -> None:
    before = analyses(stack)
    page = visit()
    lose_posts(page)
    fill(page, photo)
    send(page)
    page.click("#discard")
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.locator("#shown")).to_be_hidden()
    expect(page.locator("[name=consent]")).not_to_be_checked()
    page.unroute("**/")
    page.reload()
    page.wait_for_load_state("networkidle")
    expect(page.locator("#notice")).to_be_hidden()
    assert page.evaluate("document.getElementById('photo').files.length") == 0
    assert analyses(stack) == before


def test_a_form_changed_while_offline_is_not_resent_automatically(visit: Visit, stack: Stack, photo: Path) -> None:
    before = analyses(stack)
    page = visit()
    posts: list[str] = []
    page.on("request", lambda asked: posts.append(asked.url) if asked.method == "POST" else None)
    page.context.set_offline(True)
    fill(page, photo)
    send(page)
    expect(page.locator("#notice")).to_be_visible()
    page.check("[name=age][value='40s']")
    expect(page.locator("#notice")).to_be_hidden()
    posts.clear()
    page.context.set_offline(False)
    page.wait_for_timeout(3_000)
    assert not posts
    send(page)
    page.wait_for_url(ANALYSIS)
    assert analyses(stack) == before + 1


def test_a_double_tap_while_a_photo_is_being_resized_sends_it_once(visit: Visit, stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    drawn(6, (4000, 3000)).save(path, quality=95)
    before = analyses(stack)
    page = visit()
    posts: list[str] = []
    page.on("request", lambda asked: posts.append(asked.url) if asked.method == "POST" else None)
    fill(page, path)
    page.locator(".send").dblclick(no_wait_after=True)
    page.wait_for_url(ANALYSIS)
    assert len(posts) == 1
    assert analyses(stack) == before + 1


def test_what_goes_wrong_is_said_at_the_button_and_has_the_focus(visit: Visit, photo: Path) -> None:
    page = visit()
    lose_posts(page)
    fill(page, photo)
    send(page)
    expect(page.locator("#notice")).to_be_in_viewport()
    expect(page.locator("#notice")).to_be_focused()
    expect(page.locator(".send")).to_be_in_viewport()
    page.unroute("**/")
    page.route("**/", lambda route: route.fulfill(status=502) if route.request.method == "POST" else route.continue_())
    expect(page.locator("#notice")).to_contain_text("문제가 생겼어요", timeout=15_000)
    expect(page.locator("#notice")).to_be_in_viewport()
    expect(page.locator("#notice")).to_be_focused()


def test_what_the_server_refuses_takes_the_reader_to_the_field(visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "icon.png"
    drawn(1, (40, 40)).save(path)
    page = visit()
    fill(page, path)
    send(page)
    expect(page.locator("#photo-error")).not_to_be_empty()
    expect(page.locator("#photo-error")).to_be_in_viewport()
    expect(page.locator("#photo")).to_be_focused()


def test_the_button_says_how_much_has_been_sent(visit: Visit, stack: Stack, large_photo: Path) -> None:
    page = visit(language="en")
    fill(page, large_photo)
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 150_000}
    session.send("Network.emulateNetworkConditions", slow)
    expect(page.locator("#outlook")).to_be_visible()
    send(page)
    shares: set[int] = set()
    while len(shares) < 3:
        words = page.locator(".send").inner_text()
        assert words in {"Check my photo", "Sent, opening the result"} or words.startswith("Sending: ")
        shares.update(int(number) for number in re.findall(r"Sending: (\d+)%", words))
        assert ANALYSIS.search(page.url) is None, shares
        page.wait_for_timeout(50)
    assert max(shares) <= 100
    expect(page.locator("#outlook")).to_be_hidden()
    page.wait_for_url(ANALYSIS)


# What Safari's private windows do: a Blob or a File is not stored, and everything else is.
REFUSE_BLOBS = """
  const put = IDBObjectStore.prototype.put;
  const holdsBlob = (value) => value instanceof Blob
    || (value !== null && typeof value === "object" && Object.values(value).some(holdsBlob));
  IDBObjectStore.prototype.put = function (value, ...key) {
    if (!holdsBlob(value)) return put.call(this, value, ...key);
    throw new DOMException("Error preparing Blob/File data to be stored in object store", "UnknownError");
  };
"""
# A database that never answers.
HANG = "IDBFactory.prototype.open = () => new EventTarget();"


def test_an_unsent_photo_survives_where_no_blob_may_be_stored(visit: Visit, stack: Stack, photo: Path) -> None:
    page = visit()
    page.add_init_script(REFUSE_BLOBS)
    page.reload()
    lose_posts(page)
    fill(page, photo)
    send(page)
    expect(page.locator("#notice")).to_be_visible()
    page.unroute("**/")
    page.reload()
    expect(page.locator("#preview")).to_be_visible()
    expect(page.locator("#file-name")).to_have_text("scalp.jpg")
    page.check("[name=consent]")
    send(page)
    page.wait_for_url(ANALYSIS)
    stored = page.evaluate("async () => (await fetch('photo/')).status")
    assert stored == 200


def test_an_unsent_photo_of_an_earlier_version_is_still_offered(visit: Visit, photo: Path) -> None:
    page = visit()
    page.wait_for_load_state("networkidle")
    stored = page.evaluate(
        """async (bytes) => {
            const file = new File([new Uint8Array(bytes)], "before.jpg", { type: "image/jpeg" });
            const sent = { key: "k", photo: file, answers: { sex: "male", age: "20s", device: "" }, at: Date.now() };
            const opened = indexedDB.open("scalpspectra-outbox", 1);
            await new Promise((done) => { opened.onsuccess = done; });
            const change = opened.result.transaction("outbox", "readwrite");
            change.objectStore("outbox").put(sent, "photo");
            await new Promise((done) => { change.oncomplete = done; });
            return true;
        }""",
        list(photo.read_bytes()),
    )
    assert stored
    page.reload()
    expect(page.locator("#file-name")).to_have_text("before.jpg")
    expect(page.locator("#preview")).to_be_visible()


def test_a_database_that_never_answers_keeps_no_photo_from_being_sent(visit: Visit, stack: Stack, photo: Path) -> None:
    before = analyses(stack)
    page = visit()
    page.add_init_script(HANG)
    page.reload()
    fill(page, photo)
    send(page)
    page.wait_for_url(ANALYSIS)
    assert analyses(stack) == before + 1
    page.goto(f"{stack.url}/history/")
    expect(page.locator("#closed")).to_be_visible()
