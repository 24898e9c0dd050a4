"""The photo's part of the form: every way in, what is seen of it before it is sent, and that it arrives once."""

from __future__ import annotations

import base64
import io
import re
import signal
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image, ImageFilter
from playwright.sync_api import Page, expect

from ml.data.synthetic import draw_non_scalp, draw_scalp
from ml.quality import measure
from tests.browser.conftest import DESK, Visit, fill, send
from tests.environment import until
from tests.photos import encoded, exif_block, quadrants
from tests.stack import Stack

ANALYSIS = re.compile(r"/analyses/[0-9a-f-]{36}/$")


def analyses(stack: Stack) -> int:
    return int(stack.rows("Analysis.objects.count()"))


def comes_true(page: Page, expression: str) -> None:
    """Wait for it from outside: Playwright's own way evaluates text in the page, which the page's policy forbids."""
    for _try in range(400):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"{expression} did not come true")


def waiting_in_the_form(page: Page) -> bytes:
    """The file that the form would send now."""
    comes_true(page, "document.getElementById('advice').textContent")
    read = """async () => {
      const reader = new FileReader();
      reader.readAsDataURL(document.getElementById("photo").files[0]);
      await new Promise((done) => { reader.onload = done; });
      return reader.result.split(",")[1];
    }"""
    return base64.b64decode(page.evaluate(read))


def picture_in_the_form(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(waiting_in_the_form(page))).convert("RGB")


def scalp(seed: int, size: tuple[int, int] = (640, 480)) -> Image.Image:
    return draw_scalp(seed, (1,) * 6).resize(size, Image.Resampling.BICUBIC)


def noise(size: tuple[int, int]) -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def apart(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of two pictures of one size, in levels."""
    assert one.size == other.size
    return float(np.abs(np.asarray(one, dtype=float) - np.asarray(other, dtype=float)).mean())


@pytest.fixture
def large_photo(tmp_path: Path) -> Path:
    """Half a megabyte and more, so that it is on its way for a while."""
    path = tmp_path / "large.jpg"
    Image.blend(scalp(3, (1600, 1200)), noise((1600, 1200)), 0.3).save(path, quality=90)
    assert path.stat().st_size > 500_000
    return path


# ── Ways in ──────────────────────────────────────────────────────────────────────────────────────────

HAND_OVER = """({ base64, way }) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const held = new DataTransfer();
  held.items.add(new File([bytes], "handed-over.jpg", { type: "image/jpeg" }));
  const event = way === "paste"
    ? new ClipboardEvent("paste", { clipboardData: held, bubbles: true, cancelable: true })
    : new DragEvent("drop", { dataTransfer: held, bubbles: true, cancelable: true });
  (way === "paste" ? document.body : document.querySelector("footer")).dispatchEvent(event);
}"""


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_photo_can_be_dropped_or_pasted_anywhere_on_the_page(visit: Visit, photo: Path, way: str) -> None:
    page = visit(size=DESK)
    page.evaluate(HAND_OVER, {"base64": base64.b64encode(photo.read_bytes()).decode(), "way": way})
    expect(page.locator("#file-name")).to_have_text("handed-over.jpg")
    expect(page.locator("#preview")).to_be_visible()
    assert waiting_in_the_form(page) == photo.read_bytes()


def test_the_camera_of_the_device_puts_its_photo_into_the_form(visit: Visit, photo: Path) -> None:
    page = visit()
    assert page.get_attribute("#capture", "capture") == "environment"
    page.set_input_files("#capture", photo)
    expect(page.locator("#file-name")).to_have_text("scalp.jpg")
    assert waiting_in_the_form(page) == photo.read_bytes()


def test_a_live_view_takes_a_photo_and_leaves_the_camera_off(visit: Visit) -> None:
    page = visit(size=DESK)
    page.click("#live")
    expect(page.locator("#camera")).to_be_visible()
    expect(page.locator("#shutter")).to_be_focused()
    page.evaluate("window.tracks = document.getElementById('finder').srcObject.getTracks()")
    page.keyboard.press("Escape")
    expect(page.locator("#camera")).to_be_hidden()
    expect(page.locator("#live")).to_be_focused()
    comes_true(page, "tracks.length && tracks.every((track) => track.readyState === 'ended')")
    assert page.evaluate("document.getElementById('photo').files.length") == 0

    page.keyboard.press("Enter")
    expect(page.locator("#camera")).to_be_visible()
    comes_true(page, "document.getElementById('finder').videoWidth")
    page.evaluate("window.tracks = document.getElementById('finder').srcObject.getTracks()")
    page.keyboard.press("Enter")
    expect(page.locator("#camera")).to_be_hidden()
    expect(page.locator("#file-name")).to_have_text("camera.jpg")
    comes_true(page, "tracks.every((track) => track.readyState === 'ended')")
    assert min(picture_in_the_form(page).size) >= 480


def test_without_a_camera_the_file_chooser_comes_up_instead_without_a_word(visit: Visit) -> None:
    page = visit(size=DESK)
    page.evaluate("""() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotFoundError"));
    }""")
    with page.expect_file_chooser():
        page.click("#live")
    expect(page.locator("#live")).to_be_hidden()
    expect(page.locator("#camera")).to_be_hidden()
    expect(page.locator("#photo-error")).to_be_empty()


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_drawn_scalp_goes_the_whole_way_and_weighs_nothing_before_it_is_wanted(
    visit: Visit, stack: Stack, javascript: bool
) -> None:
    before = analyses(stack)
    page = visit(javascript=javascript)
    fetched: list[str] = []
    page.on("request", lambda asked: fetched.append(asked.url) if "/samples/" in asked.url else None)
    page.wait_for_load_state("networkidle")
    if javascript:  # Without, browsers load all pictures at once, so that nobody learns how far one has read.
        assert not fetched
    page.click(".samples summary")
    page.check("[name=sample][value=red]")
    if javascript:
        expect(page.locator("#drawn")).to_be_visible()
        expect(page.locator("#preview")).to_be_visible()
    for name, value in (("sex", "female"), ("age", "30s")):
        page.check(f"[name={name}][value='{value}']")
    page.check("[name=consent]")
    send(page)
    page.wait_for_url(ANALYSIS)
    assert analyses(stack) == before + 1


def test_a_photo_of_ones_own_takes_the_place_of_a_drawn_one_and_can_be_taken_out(visit: Visit, photo: Path) -> None:
    page = visit()
    page.click(".samples summary")
    page.check("[name=sample][value=calm]")
    expect(page.locator("#drawn")).to_be_visible()
    page.set_input_files("#photo", photo)
    expect(page.locator("#drawn")).to_be_hidden()
    expect(page.locator("[name=sample]:checked")).to_have_count(0)
    page.click("#remove")
    expect(page.locator("#shown")).to_be_hidden()
    expect(page.locator("#photo")).to_be_focused()
    assert page.evaluate("document.getElementById('photo').files.length") == 0
    send(page)
    expect(page.locator("#photo-error")).to_contain_text("골라 주세요")


# ── Crop ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def scalp_file(tmp_path: Path) -> Path:
    path = tmp_path / "scalp.png"
    scalp(5).save(path)
    return path


def frame(page: Page) -> tuple[int, int, int]:
    """Side, left and top of the frame as it is read out: pixels, percent, percent."""
    side, left, top = re.findall(r"(\d+)(?: ×| percent)", page.locator("#crop-value").inner_text())
    return int(side), int(left), int(top)


def test_a_keyboard_crops_the_photo_and_takes_it_whole_again(visit: Visit, scalp_file: Path) -> None:
    page = visit(language="en", size=DESK)
    page.set_input_files("#photo", scalp_file)
    assert picture_in_the_form(page).size == (640, 480)
    page.focus("#crop-toggle")
    page.keyboard.press("Enter")
    expect(page.locator("#crop")).to_be_focused()
    assert frame(page) == (384, 20, 10)
    for key in ("ArrowLeft", "ArrowUp", "-"):
        page.keyboard.press(key)
    side, left, top = frame(page)
    assert (side, left < 20 + 3, top < 10 + 4) == (349, True, True)
    for _press in range(12):
        page.keyboard.press("Shift+ArrowLeft")
        page.keyboard.press("Shift+ArrowUp")
    assert frame(page) == (349, 0, 0)
    comes_true(page, "createImageBitmap(document.getElementById('photo').files[0]).then((b) => b.width === 349)")
    assert apart(picture_in_the_form(page), scalp(5).crop((0, 0, 349, 349))) < 6
    page.click("#crop-toggle")
    comes_true(page, "createImageBitmap(document.getElementById('photo').files[0]).then((b) => b.width === 640)")


def test_a_pointer_moves_and_pulls_the_frame_and_a_tap_brings_it(visit: Visit, scalp_file: Path) -> None:
    page = visit(language="en", size=DESK)
    page.set_input_files("#photo", scalp_file)
    page.click("#crop-toggle")
    page.locator("#stage").scroll_into_view_if_needed()
    box = page.locator("#crop").bounding_box()
    stage = page.locator("#stage").bounding_box()
    assert box
    assert stage
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - stage["width"], middle[1] - stage["height"], steps=4)
    page.mouse.up()
    assert frame(page) == (384, 0, 0)
    page.mouse.move(stage["x"] + box["width"] - 6, stage["y"] + box["height"] - 6)
    page.mouse.down()
    page.mouse.move(stage["x"] + stage["width"], stage["y"] + stage["height"], steps=4)
    page.mouse.up()
    assert frame(page) == (480, 0, 0)
    page.locator("#crop-size").fill("320")
    assert frame(page)[0] == 320
    page.mouse.click(stage["x"] + stage["width"] - 5, stage["y"] + stage["height"] / 2)
    assert frame(page)[:2] == (320, 50)


# ── Quality and size ─────────────────────────────────────────────────────────────────────────────────

PICTURES: dict[str, Callable[[], Image.Image]] = {
    **{f"scalp {seed}": lambda seed=seed: draw_scalp(seed, (seed % 4,) * 6) for seed in range(6)},  # type: ignore[misc]
    "no scalp": lambda: draw_non_scalp(1),
    "blurred": lambda: draw_scalp(7, (0,) * 6).filter(ImageFilter.GaussianBlur(12)),
    "dark": lambda: draw_scalp(8, (1,) * 6).point(lambda level: level // 16),
    "bright": lambda: draw_scalp(9, (1,) * 6).point(lambda level: 255 - level // 32),
    "even": lambda: Image.new("RGB", (400, 300), (120, 130, 140)),
    "large": lambda: scalp(10, (1600, 1200)),
    "upright, of odd sides": lambda: scalp(11, (477, 640)),
    "small": lambda: scalp(12, (97, 131)),
    "a strip": lambda: scalp(13, (900, 31)),
}

MEASURED = """async ({ source, module }) => {
  const { measure, refusal } = await import(module);
  const picture = new Image();
  picture.src = source;
  await picture.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
  const pen = canvas.getContext("2d");
  pen.drawImage(picture, 0, 0);
  const found = measure(pen.getImageData(0, 0, canvas.width, canvas.height));
  return { ...found, refusal: refusal(found) };
}"""


def test_the_browser_measures_what_the_server_measures(visit: Visit) -> None:
    page = visit()
    refusals = set()
    for name, make in PICTURES.items():
        picture = make()
        source = "data:image/png;base64," + base64.b64encode(encoded(picture, "PNG")).decode()
        found = page.evaluate(MEASURED, {"source": source, "module": "/static/js/quality.js"})
        expected = measure(picture)
        assert found.pop("refusal") == expected.refusal, name
        assert found == pytest.approx(asdict(expected), abs=1e-9), name
        refusals.add(expected.refusal)
    assert refusals == {None, "too_dark", "too_bright", "too_blurred"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda picture: picture, "bright enough and in focus"),
        (lambda picture: picture.point(lambda level: level // 16), "too dark"),
        (lambda picture: picture.filter(ImageFilter.GaussianBlur(14)), "blurred"),
        (lambda picture: picture.resize((240, 180)), "small"),
    ],
    ids=["good", "dark", "blurred", "small"],
)
def test_the_form_advises_and_does_not_forbid(
    visit: Visit, tmp_path: Path, change: Callable[[Image.Image], Image.Image], said: str
) -> None:
    path = tmp_path / "photo.jpg"
    change(scalp(2)).save(path, quality=95)
    page = visit(language="en")
    page.set_input_files("#photo", path)
    expect(page.locator("#advice")).to_contain_text(said)
    assert page.evaluate("document.getElementById('photo').validity.valid")


def test_a_large_photo_is_sent_smaller_upright_and_without_what_the_camera_wrote(visit: Visit, tmp_path: Path) -> None:
    upright = Image.blend(quadrants().resize((2400, 3200)), noise((2400, 3200)), 0.2)
    path = tmp_path / "phone.jpg"
    path.write_bytes(encoded(upright.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif_block(6)))
    page = visit()
    page.set_input_files("#photo", path)
    data = waiting_in_the_form(page)
    assert len(data) < path.stat().st_size
    assert b"Exif" not in data
    sent = Image.open(io.BytesIO(data)).convert("RGB")
    assert max(sent.size) == 1600
    assert apart(sent, upright.resize(sent.size)) < 12


def test_what_the_browser_cannot_draw_is_sent_as_it_is(visit: Visit, tmp_path: Path, stack: Stack) -> None:
    path = tmp_path / "iphone.heic"
    path.write_bytes(encoded(scalp(4), "HEIF"))
    page = visit(language="en")
    fill(page, path)
    expect(page.locator("#advice")).to_contain_text("cannot show the photo, but it can be sent")
    expect(page.locator("#preview")).to_be_hidden()
    expect(page.locator("#crop-toggle")).to_be_hidden()
    assert waiting_in_the_form(page) == path.read_bytes()
    send(page)
    page.wait_for_url(ANALYSIS)


def test_a_photo_above_the_limit_is_made_to_fit(visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "huge.bmp"
    noise((3200, 2400)).save(path)
    assert path.stat().st_size > 10 * 1024 * 1024
    page = visit()
    page.set_input_files("#photo", path)
    assert len(waiting_in_the_form(page)) < 10 * 1024 * 1024
    expect(page.locator("#photo-error")).to_be_empty()


# ── On its way ───────────────────────────────────────────────────────────────────────────────────────


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


def test_a_photo_cut_off_on_its_way_goes_again_by_itself_and_is_one_analysis(
    visit: Visit, stack: Stack, large_photo: Path
) -> None:
    before = analyses(stack)
    page = visit()
    cut_while_sending(page, stack, large_photo)
    expect(page.locator("#notice")).to_contain_text("저절로 다시 보내요")
    restored(stack)
    page.wait_for_url(ANALYSIS, timeout=60_000)
    assert analyses(stack) == before + 1


def test_a_photo_whose_answer_was_lost_is_one_analysis_however_often_it_is_sent(
    visit: Visit, stack: Stack, photo: Path
) -> None:
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


def test_a_page_loaded_again_still_has_the_photo_and_the_answers_and_asks_for_consent_anew(
    visit: Visit, stack: Stack, large_photo: Path
) -> None:
    before = analyses(stack)
    page = visit()
    cut_while_sending(page, stack, large_photo)
    page.route("**/", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
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
    page.route("**/", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
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


def test_who_changes_an_answer_while_the_connection_is_away_sends_it_oneself(
    visit: Visit, stack: Stack, photo: Path
) -> None:
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


def test_a_double_tap_on_a_photo_that_is_still_being_made_smaller_sends_it_once(
    visit: Visit, stack: Stack, tmp_path: Path
) -> None:
    path = tmp_path / "phone.jpg"
    scalp(6, (4000, 3000)).save(path, quality=95)
    before = analyses(stack)
    page = visit()
    posts: list[str] = []
    page.on("request", lambda asked: posts.append(asked.url) if asked.method == "POST" else None)
    fill(page, path)
    page.locator(".send").dblclick(no_wait_after=True)
    page.wait_for_url(ANALYSIS)
    assert len(posts) == 1
    assert analyses(stack) == before + 1


def test_every_file_of_the_page_has_a_name_that_changes_with_its_content(visit: Visit) -> None:
    page = visit("/healthz")
    files: list[str] = []
    page.on("request", lambda asked: files.append(asked.url) if "/static/" in asked.url else None)
    page.goto(page.url.replace("/healthz", "/"), wait_until="networkidle")
    assert any("/js/quality." in name for name in files), "the modules were not loaded"
    assert not [name for name in files if not re.search(r"\.[0-9a-f]{12}\.", name)]
