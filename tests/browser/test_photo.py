"""The photo's part of the form: every way in, and what is seen of it before it is sent."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from playwright.sync_api import Page, expect

from ml.data.synthetic import draw_non_scalp, draw_scalp
from ml.quality import measure
from tests.browser.conftest import ANALYSIS, DESK, Visit, analyses, fill, send
from tests.support.photo_files import exif_block
from tests.support.pictures import drawn, encoded, noise, quadrants
from tests.support.stack import Stack


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


def apart(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of two pictures of one size, in levels."""
    assert one.size == other.size
    return float(np.abs(np.asarray(one, dtype=float) - np.asarray(other, dtype=float)).mean())


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


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("NotAllowedError", "설정에서 카메라를 허용"),
        ("NotFoundError", "찾지 못했어요"),
        ("NotReadableError", "켜지지 않았어요"),
    ],
)
def test_a_camera_that_does_not_open_says_why_and_leaves_the_file(
    visit: Visit, photo: Path, error: str, said: str
) -> None:
    page = visit(size=DESK)
    # Playwright begins to intercept choosers with the first listener, and does not wait until Chromium does.
    page.on("filechooser", lambda _chooser: None)
    page.evaluate(
        """(name) => {
            navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", name));
        }""",
        error,
    )
    page.click("#live")
    expect(page.locator("#camera-refused")).to_contain_text(said)
    expect(page.locator("#choose-instead")).to_be_focused()
    expect(page.locator("#live")).to_be_visible()
    expect(page.locator("#camera")).to_be_hidden()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(photo)
    expect(page.locator("#preview")).to_be_visible()
    expect(page.locator("#camera-refused")).to_be_hidden()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", b"no photo"),
        ("photo.jpg", b"GIF89a with the name of a JPEG"),
        ("empty.png", b""),
        ("BMW.bmp", b"BMW and other words that start like a bitmap"),
        ("clip.mp4", b"\0\0\0\x18ftypisom\0\0\0\0isommp41"),
    ],
)
def test_a_file_that_is_no_photo_is_refused_before_it_is_sent(
    visit: Visit, tmp_path: Path, photo: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    page = visit()
    posts: list[str] = []
    page.on("request", lambda asked: posts.append(asked.url) if asked.method == "POST" else None)
    fill(page, path)
    expect(page.locator("#photo-error")).to_contain_text(f"‘{name}’ 파일은 사진으로 읽을 수 없어요")
    expect(page.locator("#shown")).to_be_hidden()
    send(page)
    expect(page.locator("#photo")).to_be_focused()
    expect(page.locator("#photo-error")).to_be_in_viewport()
    expect(page.locator("#photo-error")).to_contain_text(name)
    assert not posts
    page.set_input_files("#photo", photo)
    expect(page.locator("#preview")).to_be_visible()
    expect(page.locator("#photo-error")).to_be_empty()
    send(page)
    page.wait_for_url(ANALYSIS)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "HEIF"])
def test_every_format_that_the_server_takes_passes_the_form(visit: Visit, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "photo"
    path.write_bytes(encoded(drawn(2), kind))
    page = visit()
    page.set_input_files("#photo", path)
    assert waiting_in_the_form(page)
    expect(page.locator("#photo-error")).to_be_empty()


def test_the_camera_shows_the_last_saved_photo_if_that_is_wanted(visit: Visit, stack: Stack) -> None:
    page = visit(size=DESK)
    page.click("#live")
    expect(page.locator("#camera")).to_be_visible()
    page.wait_for_timeout(500)
    expect(page.locator("#ghost-wanted")).to_be_hidden()
    analysis = stack.submit().json()["id"]
    stack.wait(analysis)
    page.goto(f"{stack.url}/analyses/{analysis}/")
    page.locator(".save-button button[value=keep]").click()
    expect(page.locator(".save-button a")).to_be_visible()
    page.goto(stack.url)
    page.click("#live")
    expect(page.locator("#ghost-wanted")).to_be_visible()
    expect(page.locator("#ghost")).to_be_hidden()
    page.locator("#ghost-wanted").focus()
    page.keyboard.press("Space")
    expect(page.locator("#ghost")).to_be_visible()
    assert page.locator("#ghost").evaluate("async (image) => { await image.decode(); return image.naturalWidth; }")
    page.click("#shutter")
    expect(page.locator("#camera")).to_be_hidden()


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_drawn_scalp_is_analyzed_and_loads_only_on_demand(visit: Visit, stack: Stack, javascript: bool) -> None:
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


def test_an_own_photo_replaces_a_drawn_one_and_can_be_removed(visit: Visit, photo: Path) -> None:
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
    drawn(5).save(path)
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
    assert apart(picture_in_the_form(page), drawn(5).crop((0, 0, 349, 349))) < 6
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
    "large": lambda: drawn(10, (1600, 1200)),
    "upright, of odd sides": lambda: drawn(11, (477, 640)),
    "small": lambda: drawn(12, (97, 131)),
    "a strip": lambda: drawn(13, (900, 31)),
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
        assert found.pop("refusal") == expected.rejection, name
        assert found == pytest.approx(asdict(expected), abs=1e-9), name
        refusals.add(expected.rejection)
    assert refusals == {None, "too_dark", "too_bright", "too_blurred"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda picture: picture, "only these were measured"),
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
    change(drawn(3)).save(path, quality=95)
    page = visit(language="en")
    page.set_input_files("#photo", path)
    expect(page.locator("#advice")).to_contain_text(said)
    assert page.evaluate("document.getElementById('photo').validity.valid")


def test_a_large_photo_is_sent_resized_upright_and_without_metadata(visit: Visit, tmp_path: Path) -> None:
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
    path.write_bytes(encoded(drawn(4), "HEIF"))
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
