"""Reports that a browser keeps: only when asked to, only there, until it is told otherwise."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, Visit, axe_finds_nothing
from tests.browser.test_pages import HANGUL, ZOOMED, focused
from tests.browser.test_sending import HANG, REFUSE_BLOBS
from tests.support.stack import Stack


def reported(stack: Stack, *, bundle: str = "", unrated: str = "") -> str:
    """The id of a report that rates every symptom but `unrated`; its models go by another name if there is one."""
    analysis = str(stack.submit().json()["id"])
    stack.wait(analysis)
    stack.rows(f"Finding.objects.filter(analysis='{analysis}').update(abstains=False)")  # Some photos tell too little.
    if bundle:
        stack.rows(f"Analysis.objects.filter(pk='{analysis}').update(bundle='{bundle}')")
    if unrated:
        withheld = "abstains=True, abstention='unproven', grade=3"
        stack.rows(f"Finding.objects.filter(analysis='{analysis}', symptom='{unrated}').update({withheld})")
    return analysis


def keep(page: Page, stack: Stack, analysis: str) -> None:
    page.goto(f"{stack.url}/analyses/{analysis}/")
    page.locator(".save-button button").click()
    expect(page.locator(".save-button a")).to_be_visible()


def two_kept(visit: Visit, stack: Stack, **how: object) -> tuple[Page, list[str]]:
    """A page of the history with two reports, and their ids: the newer one has other models and an open type."""
    analyses = [reported(stack), reported(stack, bundle="other@2", unrated="dandruff")]
    page = visit("/history/", **how)
    for analysis in analyses:
        keep(page, stack, analysis)
    page.goto(f"{stack.url}/history/")
    expect(page.locator(".entry")).to_have_count(2)
    return page, analyses


def erase_rows(stack: Stack, analysis: str) -> None:
    """Let the server know nothing of it any more, not even that it was erased."""
    stack.rows(f"Analysis.objects.filter(pk='{analysis}').delete()[0]")
    stack.rows("Human.objects.filter(analysis=None).delete()[0]")


def test_a_report_is_kept_only_when_its_reader_asks_and_as_it_was(visit: Visit, stack: Stack) -> None:
    analysis = reported(stack)
    page = visit(f"/analyses/{analysis}/")
    expect(page.locator(".save-button")).to_be_visible()
    page.goto(f"{stack.url}/history/")
    expect(page.locator("#empty")).to_be_visible()
    keep(page, stack, analysis)
    expect(page.locator(".save-button [role=status]")).to_have_text("이 기기에 남겨 두었어요.")
    said = page.locator(".spectrum svg").first.get_attribute("aria-label")
    page.locator(".save-button a").click()
    entry = page.locator(".entry")
    expect(entry).to_have_count(1)
    assert entry.locator(".strip").get_attribute("aria-label") == said
    expect(entry.locator(".tag")).to_be_visible()
    expect(page.locator("#demo")).to_be_visible()
    long_side = "async image => { await image.decode(); return Math.max(image.naturalWidth, image.naturalHeight); }"
    assert entry.locator("img").evaluate(long_side) <= 640
    expect(page.locator("#pair")).to_be_hidden()
    expect(page.locator("#grade-history")).to_be_hidden()
    entry.get_by_role("link", name="보고서 열기").click()
    page.wait_for_url(f"**/analyses/{analysis}/")
    expect(page.locator(".save-button a")).to_be_visible()
    page.locator("summary", has=page.locator("text=이 보고서 저장하기")).click()
    page.locator("#keep button[value=forget]").click()
    expect(page.locator("#keep [role=status]")).to_have_text("이 기기에서 지웠어요.")
    expect(page.locator(".save-button button[value=keep]")).to_be_visible()


def test_two_reports_stand_side_by_side_and_each_sign_over_time(visit: Visit, stack: Stack) -> None:
    page, analyses = two_kept(visit, stack, language="en", size=DESK)
    assert page.locator(".entry a").first.get_attribute("href") == f"/analyses/{analyses[1]}/"
    sizes = page.locator("#pair .frame").evaluate_all(
        "all => all.map(frame => [frame.clientWidth, frame.clientHeight])"
    )
    assert sizes[0] == sizes[1]
    assert [page.locator(f"#{side}").input_value() for side in ("left", "right")] == analyses
    page.select_option("#left", analyses[1])
    times = page.locator("#pair time").evaluate_all("all => all.map(time => time.dateTime)")
    assert times[0] == times[1]

    assert page.locator(".entry h3").first.inner_text() == "Scalp type not determined"
    assert page.locator(".entry h3").last.inner_text() != "Scalp type not determined"
    expect(page.locator("#lines svg")).to_have_count(6)
    expect(page.locator("#changed")).to_be_visible()
    expect(page.locator("#lines .change")).to_have_count(6)
    dandruff = page.locator("#lines li").nth(4)
    expect(dandruff.locator("circle")).to_have_count(1)
    assert dandruff.locator(".way").get_attribute("d") == ""
    rows = page.locator("#rows tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(1).locator("td").nth(4)).to_have_text("Not rated")
    expect(rows.nth(1).locator("td").nth(6)).to_have_text("other@2")
    told = [rows.nth(number).locator("td").nth(0).inner_text() for number in range(2)]
    assert page.locator("#lines svg").first.get_attribute("aria-label") == ", ".join(told)
    text = page.locator("main").inner_text()
    assert not HANGUL.search(text)


def test_what_is_removed_is_gone_and_what_is_not_confirmed_stays(visit: Visit, stack: Stack) -> None:
    page, analyses = two_kept(visit, stack)
    page.locator(".entry button").first.click()
    page.keyboard.press("Escape")
    expect(page.locator("#ask")).to_be_hidden()
    expect(page.locator(".entry")).to_have_count(2)
    page.locator(".entry button").first.click()
    page.get_by_role("button", name="네, 지울게요").click()
    expect(page.locator(".entry")).to_have_count(1)
    expect(page.locator("#announcer")).to_have_text("보고서를 이 기기에서 지웠어요.")
    page.reload()
    assert page.locator(".entry a").get_attribute("href") == f"/analyses/{analyses[0]}/"
    page.locator("#forget-all").click()
    page.get_by_role("button", name="네, 지울게요").click()
    expect(page.locator("#empty")).to_be_visible()
    page.goto(f"{stack.url}/analyses/{analyses[0]}/")
    expect(page.locator("[id^=sign-]")).to_have_count(6)
    expect(page.locator(".save-button button[value=keep]")).to_be_visible()


def test_all_of_it_can_be_taken_along_as_a_file(visit: Visit, stack: Stack, tmp_path: Path) -> None:
    page, analyses = two_kept(visit, stack)
    with page.expect_download() as coming:
        page.locator("#save").click()
    assert re.fullmatch(r"scalpspectra-\d{4}-\d\d-\d\d\.json", coming.value.suggested_filename)
    coming.value.save_as(tmp_path / "saved.json")
    saved = json.loads((tmp_path / "saved.json").read_text())
    assert [report["id"] for report in saved["reports"]] == analyses[::-1]
    assert saved["signs"][4] == "dandruff"
    assert saved["reports"][0]["grades"][4] is None
    for report in saved["reports"]:
        told = stack.status(report["id"])
        assert report["date"] == told["finished_at"]
        assert all(report[key] == told["result"][key] for key in ("skin", "pred", "bundle", "demo"))
        assert report["photo"].startswith("data:image/jpeg;base64,")


def test_what_is_erased_on_the_server_is_forgotten_here(visit: Visit, stack: Stack) -> None:
    analysis = reported(stack)
    page = visit("/history/")
    keep(page, stack, analysis)
    page.get_by_role("link", name="이 보고서 지우기").click()
    page.get_by_role("button", name="네, 지울게요").click()
    expect(page.locator("h1")).to_have_text("지웠어요")
    # It has its words from the start, and is shown once the copy is gone.
    expect(page.locator("#forgotten")).to_be_visible()
    expect(page.locator("#forgotten")).to_have_text("이 기기에 남겨 둔 사본도 함께 지웠어요.")
    page.goto(f"{stack.url}/history/")
    expect(page.locator("#empty")).to_be_visible()


@pytest.mark.parametrize("gone", ["erased elsewhere", "lost"])
def test_what_the_server_has_no_more_is_still_shown_and_said_to_be_gone(visit: Visit, stack: Stack, gone: str) -> None:
    analysis = reported(stack)
    page = visit("/history/")
    keep(page, stack, analysis)
    if gone == "lost":
        erase_rows(stack, analysis)
    else:
        requests.delete(f"{stack.url}/api/v1/analyses/{analysis}/", timeout=10).raise_for_status()
    page.goto(f"{stack.url}/history/")
    page.get_by_role("link", name="보고서 열기").click()
    for _time in range(2):
        expect(page.locator("[data-state=gone]")).to_be_visible()
        expect(page.get_by_role("link", name="보고서 열기")).to_be_hidden()
        expect(page.locator(".entry .strip")).to_be_visible()
        expect(page.locator(".entry img")).to_be_visible()
        page.reload()


def test_without_a_connection_the_kept_reports_stay_to_be_seen(visit: Visit, stack: Stack) -> None:
    page, _analyses = two_kept(visit, stack)
    page.context.set_offline(True)
    page.locator(".entry a").first.click()
    expect(page.locator("[data-state=away]").first).to_be_visible()
    expect(page.locator(".entry")).to_have_count(2)


def test_a_report_without_its_photo_is_kept_without_one(visit: Visit, stack: Stack) -> None:
    analysis = reported(stack)
    stack.rows(f"Analysis.objects.filter(pk='{analysis}').update(photo='')")
    page = visit("/history/")
    keep(page, stack, analysis)
    page.goto(f"{stack.url}/history/")
    expect(page.locator(".entry .none")).to_be_visible()
    expect(page.locator(".entry img")).to_be_hidden()


def test_the_page_tells_the_server_of_no_report_that_is_not_opened(visit: Visit, stack: Stack) -> None:
    page, analyses = two_kept(visit, stack)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url + str(request.post_data) + str(request.headers)))
    page.reload()
    page.select_option("#left", analyses[1])
    page.locator("#save").click()
    page.wait_for_load_state("networkidle")
    assert asked
    assert not [told for told in asked if any(analysis in told for analysis in analyses)]


@pytest.mark.parametrize(("language", "said"), [("ko", "자바스크립트를 켜 주세요"), ("en", "turn on JavaScript")])
def test_without_javascript_saved_reports_explain_what_they_need(
    visit: Visit, stack: Stack, language: str, said: str
) -> None:
    page = visit("/history/", javascript=False, language=language)
    expect(page.locator("noscript p")).to_contain_text(said)
    expect(page.locator("noscript p")).to_be_visible()
    expect(page.locator("#empty")).to_be_hidden()
    page.goto(f"{stack.url}/analyses/{reported(stack)}/")
    expect(page.locator(".save-button")).to_be_hidden()


def test_a_report_is_kept_and_removed_by_keyboard_alone(visit: Visit, stack: Stack) -> None:
    page = visit(f"/analyses/{reported(stack)}/")
    focused(page, ".save-button button[value=keep]")
    page.keyboard.press("Enter")
    expect(page.locator(".save-button a")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/history/")
    focused(page, ".entry button")
    page.keyboard.press("Space")
    focused(page, "#ask .danger")
    page.keyboard.press("Enter")
    expect(page.locator("#empty")).to_be_visible()
    expect(page.locator("h1")).to_be_focused()


@pytest.mark.parametrize("language", ["ko", "en"])
def test_two_reports_pass_axe_and_fit_every_screen_width(visit: Visit, stack: Stack, language: str) -> None:
    page, _analyses = two_kept(visit, stack, language=language)
    axe_finds_nothing(page)
    for width, height in (ZOOMED, PHONE, DESK):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    heights = page.locator("button:visible, .button:visible, select:visible").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().height)"
    )
    assert all(height >= 48 for height in heights)
    page.locator("#forget-all").click()
    axe_finds_nothing(page)


# ── Place, note, comparison ──────────────────────────────────────────────────────────────────────────


def test_a_place_and_a_note_stay_in_the_browser_and_show_where_they_help(visit: Visit, stack: Stack) -> None:
    page, _analyses = two_kept(visit, stack, language="en", size=DESK)
    entry = page.locator(".entry").first
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if not request.url.startswith("blob:") else None)
    entry.locator("summary").click()
    entry.locator("select").select_option("crown")
    expect(entry.locator("[role=status]")).to_have_text("Saved on this device.")
    entry.locator("textarea").fill("a new shampoo")
    entry.locator("textarea").blur()
    expect(entry.locator(".remark")).to_have_text("Crown · a new shampoo")
    assert not asked
    page.reload()
    expect(page.locator(".entry .remark").first).to_have_text("Crown · a new shampoo")
    expect(page.locator(".entry .remark").last).to_be_hidden()
    options = page.locator("#left option").all_inner_texts()
    assert len(set(options)) == 2
    assert options[0].endswith("· Crown")
    page.select_option("#place-shown", "crown")
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(page.locator("#lines li").first.locator("circle")).to_have_count(1)


def test_reports_of_one_day_are_told_apart_by_their_time(visit: Visit, stack: Stack) -> None:
    page, analyses = two_kept(visit, stack, language="en")
    for analysis, hour in zip(analyses, (9, 21), strict=True):
        page.evaluate(
            """async ([id, date]) => {
                const opened = indexedDB.open("scalpspectra-reports", 1);
                await new Promise((done) => { opened.onsuccess = done; });
                const reports = opened.result.transaction("reports", "readwrite").objectStore("reports");
                const asked = reports.get(id);
                await new Promise((done) => { asked.onsuccess = done; });
                reports.put({ ...asked.result, date });
                await new Promise((done) => { reports.transaction.oncomplete = done; });
            }""",
            [analysis, f"2026-03-05T{hour:02}:30:00"],
        )
    page.reload()
    expect(page.locator("#left option")).to_have_count(2)
    for place in ("#left option", "#lines li:first-child .span time", "#rows th"):
        words = page.locator(place).all_inner_texts()
        assert len(set(words)) == 2, place
        assert any("9:30" in told and "AM" in told for told in words), place


def transform(page: Page, side: str) -> list[float]:
    """Scale, shift to the right and down of a compared photo, in pixels."""
    matrix = page.locator(f"[data-side={side}] img").evaluate("(image) => getComputedStyle(image).transform")
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", matrix)]
    return [numbers[0], numbers[4], numbers[5]]


def test_two_photos_are_aligned_by_pointer_and_by_keyboard(visit: Visit, stack: Stack) -> None:
    page, analyses = two_kept(visit, stack, size=DESK)
    frame = page.locator("[data-side=right]")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    assert box
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 130, box["y"] + 80, steps=3)
    page.mouse.up()
    assert transform(page, "right") == pytest.approx([1, 30, -20], abs=1)
    assert transform(page, "left") == [1, 0, 0]
    frame.focus()
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("+")
    assert transform(page, "right")[:2] == pytest.approx([1.1, 30 - box["width"] / 10], abs=1)
    page.locator("#zoom").fill("2")
    assert transform(page, "left")[0] == 2
    assert transform(page, "right")[0] == pytest.approx(2.2)
    expect(page.locator("#border")).to_be_hidden()
    page.locator("[name=view][value=over]").check()
    lefts = [page.locator(f"[data-side={side}]").bounding_box() for side in ("left", "right")]
    assert lefts[0] == lefts[1]
    page.locator("#border").focus()
    page.keyboard.press("Home")
    assert frame.evaluate("(one) => getComputedStyle(one).clipPath") == "inset(0px 0px 0px 0%)"
    page.select_option("#right", analyses[0])
    assert transform(page, "right") == [1, 0, 0]


def test_a_report_that_was_saved_as_a_blob_still_shows_its_photo(visit: Visit, stack: Stack) -> None:
    page, _analyses = two_kept(visit, stack)
    page.evaluate(
        """async () => {
            const opened = indexedDB.open("scalpspectra-reports", 1);
            await new Promise((done) => { opened.onsuccess = done; });
            const reports = opened.result.transaction("reports", "readwrite").objectStore("reports");
            const asked = reports.getAll();
            await new Promise((done) => { asked.onsuccess = done; });
            for (const { place, note, photo, ...report } of asked.result) {
              reports.put({ ...report, photo: new Blob([photo.bytes], { type: photo.type }) });
            }
            await new Promise((done) => { reports.transaction.oncomplete = done; });
        }"""
    )
    page.reload()
    expect(page.locator(".entry")).to_have_count(2)
    width = "async image => { await image.decode(); return image.naturalWidth; }"
    assert page.locator(".entry img").first.evaluate(width) > 0


@pytest.mark.parametrize(
    "how",
    [REFUSE_BLOBS, "IDBObjectStore.prototype.put = () => { throw new DOMException('', 'QuotaExceededError'); };"],
    ids=["no blobs", "no room"],
)
def test_a_private_window_saves_or_says_that_it_cannot(visit: Visit, stack: Stack, how: str) -> None:
    page = visit("/history/", language="en")
    page.add_init_script(how)
    page.goto(f"{stack.url}/analyses/{reported(stack)}/")
    page.locator(".save-button button").click()
    said = page.locator(".save-button [role=status]")
    if how == REFUSE_BLOBS:
        expect(said).to_have_text("Saved on this device.")
        page.goto(f"{stack.url}/history/")
        expect(page.locator(".entry img")).to_be_visible()
    else:
        expect(said).to_contain_text("storage may be full")
        expect(page.locator(".save-button button[value=keep]")).to_be_enabled()


def test_a_database_that_never_answers_blocks_no_report(visit: Visit, stack: Stack) -> None:
    page = visit("/history/", language="en")
    page.add_init_script(HANG)
    page.goto(f"{stack.url}/analyses/{reported(stack)}/")
    expect(page.locator("[id^=sign-]")).to_have_count(6)
    page.locator("summary", has_text="Save or share").click()
    expect(page.locator("#keep [data-when=closed]")).to_be_visible()
    expect(page.locator(".save-button button[value=keep]")).to_be_hidden()
