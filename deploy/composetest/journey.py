"""End-to-end checks through the proxy, as a visitor, as an admin and as a stranger."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from deploy.composetest.browser import Browser, Response
from deploy.composetest.commands import StepError
from deploy.composetest.service import Service

READY_SECONDS = 120
ANALYSIS_SECONDS = 180

#: Runs in the worker's image, which has Pillow and the synthetic scalps.
_DRAW_PHOTO = """
import sys
from ml.data.synthetic import scalp_picture
scalp_picture(1).save(sys.stdout.buffer, "JPEG", quality=90)
"""


def check(sentence: str, holds: bool, found: object = "") -> None:
    """Prints `sentence` if it holds. Otherwise raises StepError with what was found."""
    if not holds:
        raise StepError(f"Failed: {sentence}. Found: {found}")
    print(f"  ✓ {sentence}", flush=True)


def check_readiness(service: Service) -> None:
    browser = Browser(service.origin)
    deadline = time.monotonic() + READY_SECONDS
    while not (ready := browser.get("/readyz").json())["ready"] and time.monotonic() < deadline:
        time.sleep(1)
    check("seven models are resident", ready["ready"] and ready["models_resident"] == 7, ready)
    check("… and it gives neither reasons nor warnings", ready["reasons"] == ready["warnings"] == [], ready)


def send_photo(service: Service, browser: Browser) -> str:
    """Sends a synthetic photo. Returns the address of its analysis."""
    photo = service.run_in("model", "python", "-c", _DRAW_PHOTO)
    fields = {"sex": "female", "age": "30s", "consent": "true"}
    sent = browser.send_photo("/api/v1/analyses/", fields, photo)
    check("a photo is accepted", sent.status == 202, sent.body[:500])
    return str(sent.headers["Location"])


def await_change(browser: Browser, address: str, statuses: set[str]) -> dict[str, Any]:
    """Polls while the analysis is in one of `statuses`. Returns the last answer."""
    deadline = time.monotonic() + ANALYSIS_SECONDS
    while True:
        answer: dict[str, Any] = browser.get(address).json()
        if answer["status"] not in statuses:
            return answer
        if time.monotonic() > deadline:
            raise StepError(f"Still {answer['status']} after {ANALYSIS_SECONDS} s: {answer}")
        time.sleep(0.1)


def check_analysis(service: Service) -> dict[str, Any]:
    """Sends a photo, polls until its analysis succeeds, and erases it. Returns the last answer before that."""
    browser = Browser(service.origin)
    began = time.monotonic()
    address = send_photo(service, browser)
    answer = await_change(browser, address, {"queued", "running"})
    check("its analysis succeeds", answer["status"] == "succeeded", answer)
    print(f"    after {time.monotonic() - began:.1f} s")
    findings = answer["result"]["findings"]
    check("it has six findings, each with four probabilities", [len(f["probabilities"]) for f in findings] == [4] * 6)
    check("it can be erased", browser.ask("DELETE", address).status == 204)
    check("after that, it is gone", browser.get(address).status == 410)
    return answer


def check_drain(service: Service) -> None:
    browser = Browser(service.origin)
    address = send_photo(service, browser)
    answer = await_change(browser, address, {"queued"})
    check("its analysis starts", answer["status"] == "running", answer)
    ended = service.stop_part("model")
    check("a model worker exits by itself on SIGTERM", ended.exit_code == 0, ended)
    status = browser.get(address).json()["status"]
    check("… after finishing its photo", status == "succeeded", status)
    service.start_part("model")


def check_access(service: Service) -> None:
    browser = Browser(service.origin)
    for path in ("/metrics", "/metrics/", "//metrics", "/internal/staff/", "/flower/metrics"):
        status = browser.get(path).status
        check(f"a stranger does not reach {path}", status in {302, 404}, status)
    too_large = browser.send_photo("/api/v1/analyses/", {}, bytes(11 * 1000 * 1000))
    check("a body of 11 MB is refused with 413", too_large.status == 413, too_large.status)
    check("… as a problem document", too_large.headers.get_content_type() == "application/problem+json")
    check("… with a stable code", too_large.json()["code"] == "photo_too_large", too_large.body)
    flower = browser.get("/flower/")
    login = "/admin/login/?next=/flower/"
    check(
        "Flower sends a stranger to the staff login",
        _redirects(flower, login),
        (flower.status, flower.headers),
    )


def check_staff(service: Service) -> None:
    name, password = service.run_in("web", "python", "backend/manage.py", "create_first_admin").decode().split()
    browser = Browser(service.origin)
    entered = browser.submit("/admin/login/?next=/flower/", {"username": name, "password": password})
    check("the first admin logs in", _redirects(entered, "/flower/"), (entered.status, entered.body[:300]))
    flower = browser.get("/flower/")
    check("Flower opens to staff", flower.status == 200 and b"Flower" in flower.body, flower.status)
    workers = browser.get("/flower/workers").body.decode()
    for role in ("model", "upkeep"):
        check(f"Flower sees the {role} worker", f"{role}@" in workers, workers[:300])


def check_pages(service: Service) -> None:
    browser = Browser(service.origin)
    page = browser.get("/")
    check("the first page opens", page.status == 200, page.status)
    doubled = [name for name in set(map(str.lower, page.headers)) if len(page.headers.get_all(name, [])) > 1]
    check("no header is repeated", not set(doubled) - {"set-cookie", "vary"}, doubled)
    names = re.findall(rb'"(/static/[^"]+)"', page.body)
    static = browser.get(names[0].decode())
    lifetime = static.headers["Cache-Control"]
    check(
        "its static files load and may be cached forever",
        static.status == 200 and "immutable" in lifetime,
        lifetime,
    )


def _redirects(answer: Response, address: str) -> bool:
    return answer.status == 302 and answer.headers["Location"] == address


def run_all(service: Service) -> None:
    """Runs all checks. Raises StepError at the first one that fails."""
    check_readiness(service)
    answer = check_analysis(service)
    check_access(service)
    check_staff(service)
    check_pages(service)
    print(service.table())
    print(json.dumps(answer, ensure_ascii=False, indent=2))
    check_drain(service)
