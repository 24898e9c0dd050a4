"""Chromium against the running service, with an eye on what no page may do."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.support.environment import ROOT
from tests.support.stack import Stack, scalp_photo

#: Of every page that a failed test opened; of every page with `SCALP_TEST_SCREENSHOTS=true`, for whoever looks.
SCREENSHOTS = ROOT / "var" / "screenshots"
ALL_WANTED = os.environ.get("SCALP_TEST_SCREENSHOTS") == "true"
ANALYSIS = re.compile(r"/analyses/[0-9a-f-]{36}/$")
PHONE, DESK = (360, 780), (1440, 900)

AXE = Axe()

Visit = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


# Of the package, not of the session: while Playwright runs, its event loop makes Django refuse the database
# to the tests that come after these.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.fail("Chromium is missing. Debian, Ubuntu: apt install chromium")
    arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    arguments += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, stack: Stack, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Opens a path in a browser of its own. No page may ask another host or break its content security policy."""
    wrong: list[str] = []
    pages: list[Page] = []
    failed_before = request.session.testsfailed

    def note_console(message: ConsoleMessage) -> None:
        # Chromium, and htmx too, also report every answer of 400 and up here and every connection that breaks, and
        # some of those are wanted.
        answers = ("Failed to load resource", "Response Status Error Code", "htmx:sendError", "htmx:afterRequest")
        answers += ("An unknown error occurred when fetching the script",)  # the service worker's
        if message.type == "error" and not message.text.startswith(answers):
            wrong.append(message.text)

    def opened(
        path: str = "/",
        *,
        language: str = "ko",
        javascript: bool = True,
        size: tuple[int, int] = PHONE,
        scheme: str = "light",
        zone: str = "Asia/Seoul",
    ) -> Page:
        context = chromium.new_context(
            locale=language,
            timezone_id=zone,
            java_script_enabled=javascript,
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.on("console", note_console)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request",
            lambda asked: None if asked.url.startswith((stack.url, "blob:", "data:")) else wrong.append(asked.url),
        )
        pages.append(page)
        page.goto(stack.url + path)
        return page

    yield opened
    wanted = ALL_WANTED or request.session.testsfailed > failed_before
    name = "".join(letter if letter.isalnum() or letter in "_-" else "-" for letter in request.node.name)
    for number, page in enumerate(pages):
        if wanted:
            page.screenshot(path=SCREENSHOTS / f"{name}-{number}.png", full_page=True)
        page.context.close()
    assert not wrong


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo on the visitor's disk."""
    path = tmp_path / "scalp.jpg"
    path.write_bytes(scalp_photo(7))
    return path


def analyses(stack: Stack) -> int:
    """How many there are."""
    return int(stack.rows("Analysis.objects.count()"))


@contextmanager
def resting_models(stack: Stack) -> Iterator[None]:
    """The model worker stands still meanwhile, so that photos stay in the line for as long as a test looks."""
    stack.freeze_model()
    try:
        yield
    finally:
        stack.kill("model", signal.SIGCONT)


def fill(page: Page, photo: Path, *, consent: bool = True) -> None:
    """Fill in the form as a woman in her thirties with a phone."""
    page.set_input_files("[name=photo]", photo)
    for name, value in (("sex", "female"), ("age", "30s"), ("device", "phone")):
        page.check(f"[name={name}][value='{value}']")
    if consent:
        page.check("[name=consent]")


def wait_until(page: Page, script: str, seconds: float = 20) -> None:
    """Wait until the script's value is true.

    Playwright's own `wait_for_function` evaluates a script again from within the page, which our content security
    policy forbids, and takes the promise of an async function for true.
    """
    until = time.monotonic() + seconds
    while not page.evaluate(script):
        assert time.monotonic() < until, f"still not true after {seconds} s: {script}"
        page.wait_for_timeout(50)


def send(page: Page) -> None:
    page.click(".send")


def lose_posts(page: Page) -> None:
    """Whatever the form sends breaks off, until `page.unroute("**/")`."""
    page.route("**/", lambda route: route.abort() if route.request.method == "POST" else route.continue_())


def axe_finds_nothing(page: Page) -> None:
    """No violation of any rule, best practices included, in either theme at either size."""
    unfold(page)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        for width, height in (PHONE, DESK):
            page.set_viewport_size({"width": width, "height": height})
            # The admin's links fade from one theme's color to the other's, and axe would measure those in between.
            page.evaluate("Promise.allSettled(document.getAnimations().map((one) => one.finished)).then(() => null)")
            found = AXE.run(page)
            assert not found.violations_count, f"{scheme}, {width} px\n{found.generate_report()}"


def unfold(page: Page) -> None:
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
