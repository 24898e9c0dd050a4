from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ANALYSIS, DESK, PHONE, Visit, analyses, fill, resting_models, send
from tests.support.stack import Stack

#: What is left of a window of 640 px at 200 % zoom, and the least that WCAG 2.2 (1.4.10) asks for.
ZOOMED = (320, 640)
HANGUL = re.compile(r"[가-힣]")


def visible_text(page: Page) -> str:
    """What the page says, the switch to the other language aside."""
    return page.locator("main").inner_text() + page.locator("footer").inner_text()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_visitor_gets_from_the_form_to_the_report(
    visit: Visit, photo: Path, language: str, javascript: bool, size: tuple[int, int]
) -> None:
    page = visit(language=language, javascript=javascript, size=size)
    expect(page.locator("[name=consent]")).not_to_be_checked()
    texts = [visible_text(page)]
    fill(page, photo)
    send(page)
    page.wait_for_url(ANALYSIS)
    expect(page.locator("[id^=sign-]")).to_have_count(6)
    texts.append(visible_text(page))
    grades = page.locator(".find").evaluate_all("rows => rows.map(row => row.className.match(/k(.)/)[1])")
    assert grades == sorted(grades, key=lambda grade: -1 if grade == "x" else int(grade), reverse=True)
    expect(page.locator(".demo")).to_be_visible()
    expect(page).to_have_title(re.compile("두피 상태 보고서" if language == "ko" else "Scalp report"))
    assert page.locator("html").get_attribute("lang") == language
    for text in texts:
        assert bool(HANGUL.search(text)) == (language == "ko")


def test_the_waiting_page_goes_on_by_itself_until_the_report(visit: Visit, stack: Stack, photo: Path) -> None:
    page = visit()
    with resting_models(stack):
        fill(page, photo)
        send(page)
        page.wait_for_url(ANALYSIS)
        expect(page.locator("[aria-current=step]")).to_contain_text("차례 기다리기")
        waiting_title = page.title()
        page.evaluate("window.same = true")
        page.reload()
        expect(page.locator("[aria-current=step]")).to_contain_text("차례 기다리기")
        assert page.evaluate("window.same") is None
        page.evaluate("window.same = true")
    expect(page.locator("[id^=sign-]")).to_have_count(6)
    assert page.evaluate("window.same"), "the report came without loading the page again"
    assert page.title() != waiting_title
    expect(page.locator("#announcer")).to_have_text("보고서가 나왔어요.")


def focused(page: Page, selector: str) -> None:
    """Press Tab until what matches the selector has the focus."""
    for _press in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"{selector} can't be reached by keyboard")


@pytest.mark.parametrize("size", [DESK, ZOOMED], ids=["desk", "zoomed"])
def test_the_whole_journey_needs_no_more_than_a_keyboard(visit: Visit, photo: Path, size: tuple[int, int]) -> None:
    page = visit(size=size)
    page.on("filechooser", lambda chooser: chooser.set_files(photo))
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    focused(page, "#photo")
    page.keyboard.press("Space")
    expect(page.locator("#file-name")).to_have_text("scalp.jpg")
    focused(page, "[name=sex]")
    page.keyboard.press("Space")
    focused(page, "[name=age]")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    expect(page.locator("[name=age][value='20s']")).to_be_checked()
    focused(page, "[name=consent]")
    page.keyboard.press("Space")
    focused(page, ".send")
    page.keyboard.press("Enter")
    page.wait_for_url(ANALYSIS)
    expect(page.locator("[id^=sign-]")).to_have_count(6)
    focused(page, "a[href$='/erase/']")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/erase/$"))
    focused(page, ".danger")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("지웠어요")


def test_a_page_reports_a_lost_connection_and_resumes_when_it_is_back(visit: Visit, stack: Stack, photo: Path) -> None:
    page = visit()
    with resting_models(stack):
        fill(page, photo)
        send(page)
        page.wait_for_url(ANALYSIS)
        page.context.set_offline(True)
        expect(page.locator("#trouble")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator("[id^=sign-]")).to_have_count(6)


def test_a_hidden_page_polls_less_and_catches_up_when_shown(visit: Visit, stack: Stack) -> None:
    with resting_models(stack):
        page = visit(f"/analyses/{stack.submit().json()['id']}/")
        polls: list[str] = []
        page.on("request", lambda asked: polls.append(asked.url) if ANALYSIS.search(asked.url) else None)
        see = "now => { Object.defineProperty(document, 'hidden', { configurable: true, get: () => !now }); "
        with page.expect_request(ANALYSIS):
            pass
        page.evaluate(see + "document.dispatchEvent(new Event('visibilitychange')) }", False)
        page.wait_for_timeout(500)
        polls.clear()
        page.wait_for_timeout(6_000)
        assert not polls
        with page.expect_request(ANALYSIS):
            page.evaluate(see + "document.dispatchEvent(new Event('visibilitychange')) }", True)
    expect(page.locator("[id^=sign-]")).to_have_count(6)


def test_a_double_click_makes_one_analysis(visit: Visit, stack: Stack, photo: Path) -> None:
    before = analyses(stack)
    for javascript in (True, False):
        page = visit(javascript=javascript)
        fill(page, photo)
        page.locator(".send").dblclick(no_wait_after=True)
        page.wait_for_url(ANALYSIS)
    assert analyses(stack) == before + 2


def test_without_consent_the_page_sends_nothing_and_keeps_the_answers(visit: Visit, stack: Stack, photo: Path) -> None:
    before = analyses(stack)
    page = visit()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    fill(page, photo, consent=False)
    send(page)
    expect(page.locator("#consent-error")).to_have_text("사진을 살펴보려면 동의가 필요해요.")
    expect(page.locator("[name=age][value='30s']")).to_be_checked()
    assert "POST" not in sent
    page.check("[name=consent]")
    expect(page.locator("#consent-error")).to_be_empty()

    page = visit(javascript=False)
    fill(page, photo, consent=False)
    page.locator("form.sheet").evaluate("form => { form.noValidate = true }")
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        send(page)
    assert answered.value.status == 422
    expect(page.locator("#consent-error")).to_contain_text("동의하지 않으면")
    for name, value in (("sex", "female"), ("age", "30s"), ("device", "phone")):
        expect(page.locator(f"[name={name}][value='{value}']")).to_be_checked()
    expect(page.locator("[name=consent]")).not_to_be_checked()
    assert analyses(stack) == before


def test_a_photo_that_the_server_cannot_read_is_refused_at_the_field(visit: Visit, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff and no more of a JPEG")
    page = visit(language="en")
    fill(page, broken)
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        send(page)
    assert answered.value.status == 422
    expect(page.locator("#photo-error")).not_to_be_empty()
    expect(page.locator("[name=consent]")).to_be_checked()
    assert page.locator("[name=photo]").evaluate("input => input.files[0].name") == "broken.jpg"


def test_without_javascript_the_server_refuses_a_file_that_is_no_photo(visit: Visit, tmp_path: Path) -> None:
    text = tmp_path / "letter.jpg"
    text.write_text("Dear scalp, ...")
    page = visit(language="en", javascript=False)
    fill(page, text)
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        send(page)
    assert answered.value.status == 415
    expect(page.locator("#photo-error")).to_contain_text("JPEG, HEIC, PNG, WebP or BMP")


@pytest.mark.parametrize(
    ("status", "said"),
    [(503, "Something went wrong on our side"), (500, "Something went wrong"), (403, "Reload the page")],
)
def test_an_answer_that_is_not_the_form_does_not_take_its_place(
    visit: Visit, photo: Path, status: int, said: str
) -> None:
    page = visit(language="en")
    page.route("**/", lambda route: route.fulfill(status=status, content_type="text/html", body="<h1>Elsewhere</h1>"))
    fill(page, photo)
    send(page)
    expect(page.locator("#notice")).to_contain_text(said)
    expect(page.locator("[name=age][value='30s']")).to_be_checked()
    expect(page.get_by_text("Elsewhere")).to_have_count(0)


def test_a_canceled_analysis_can_be_tried_again(visit: Visit, stack: Stack, photo: Path) -> None:
    page = visit()
    with resting_models(stack):
        fill(page, photo)
        send(page)
        page.wait_for_url(ANALYSIS)
        page.get_by_role("button", name="취소하기").click()
        expect(page.locator("h1")).to_have_text("취소했어요")
    page.get_by_role("button", name="다시 살펴보기").click()
    expect(page.locator("[id^=sign-]")).to_have_count(6)


def test_an_erased_analysis_is_gone_for_good(visit: Visit, stack: Stack) -> None:
    analysis = stack.submit().json()["id"]
    stack.wait(analysis)
    page = visit(f"/analyses/{analysis}/", javascript=False)
    page.get_by_role("link", name="이 보고서 지우기").click()
    with page.expect_response(
        lambda answer: answer.request.method == "GET" and ANALYSIS.search(answer.url)
    ) as answered:
        page.get_by_role("button", name="네, 지울게요").click()
    assert answered.value.status == 410
    expect(page.locator("h1")).to_have_text("지웠어요")


def test_the_language_switch_keeps_the_page(visit: Visit, stack: Stack) -> None:
    analysis = stack.submit().json()["id"]
    stack.wait(analysis)
    page = visit(f"/analyses/{analysis}/")
    page.get_by_role("button", name="English").click()
    expect(page.locator("h2").first).to_have_text("Six signs")
    assert ANALYSIS.search(page.url)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK, ZOOMED], ids=["phone", "desk", "zoomed"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_no_page_is_wider_than_its_screen(
    visit: Visit, stack: Stack, language: str, size: tuple[int, int], scheme: str
) -> None:
    analysis = stack.submit().json()["id"]
    stack.wait(analysis)
    address = f"/analyses/{analysis}/"
    page = visit(language=language, size=size, scheme=scheme)
    for path in ("/", "/sample/", "/history/", "/offline/", address, f"{address}erase/", "/nothing-here/"):
        page.goto(stack.url + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
