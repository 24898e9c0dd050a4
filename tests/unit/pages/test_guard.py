"""What no page may do: run foreign code, be kept, tell its address, act without its owner."""

from __future__ import annotations

import gzip
import re

import pytest
from django.http import HttpResponse
from django.test import Client

from backend.analyses.models import Share
from backend.analyses.selectors.status import analysis_status
from backend.analyses.services.control import analysis_cancel
from backend.analyses.states import Status
from tests.support.visitors import finish, sent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("page", ["", "erase/"])
def test_a_page_with_an_id_is_kept_nowhere_and_its_address_goes_nowhere(visitor: Client, page: str) -> None:
    address = f"/analyses/{sent(visitor)}/{page}"
    for headers in ({}, {"HX-Request": "true"}):
        answer = visitor.get(address, headers=headers)
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "private, no-store"
        assert answer["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("action", ["cancel", "retry", "erase", "share", "share/end", "feedback"])
def test_no_action_without_a_token_of_the_form(action: str, visitor: Client) -> None:
    analysis = sent(visitor)
    stranger = Client(enforce_csrf_checks=True, headers={"Accept-Language": "en"})
    answer = stranger.post(f"/analyses/{analysis}/{action}/")
    assert answer.status_code == 403
    assert "Please send it again" in answer.content.decode()
    assert analysis_status(analysis).status == Status.QUEUED


def policies(page: HttpResponse) -> dict[str, list[str]]:
    """The directives of a page's content security policy."""
    return {name: allowed for name, *allowed in (part.split() for part in page["Content-Security-Policy"].split(";"))}


def test_no_page_may_run_or_wear_what_stands_in_it_or_ask_another_host(visitor: Client) -> None:
    waiting, reported, refused = sent(visitor), sent(visitor), sent(visitor)
    finish(reported, (0, 1, 2, 3, 0, 0))
    analysis_cancel(refused)
    visitor.post(f"/analyses/{reported}/share/")
    pages = ["/", "/sample/", "/history/", "/offline/", "/nowhere/", "/clinics/", f"/shared/{Share.objects.get().pk}/"]
    pages += ["/products/", f"/analyses/{reported}/products/", f"/analyses/{reported}/doctor/"]
    pages += [f"/analyses/{id}/{page}" for id in (waiting, reported, refused) for page in ("", "erase/")]
    for path in pages:
        page = visitor.get(path)
        policy = policies(page)
        allowed = {source for sources in policy.values() for source in sources}
        assert allowed == {"'self'", "'none'", "data:", "blob:"}, path
        assert policy["default-src"] == ["'self'"]
        assert not {"data:", "blob:"} & set(policy.get("script-src", []) + policy.get("style-src", []))
        html = page.content.decode()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", html), path
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', html), path
        assert '<meta name="referrer"' not in html, path


@pytest.mark.parametrize(
    ("secure", "site", "status"),
    [
        (False, "same-origin", 303),
        (True, "same-origin", 303),
        (False, "cross-site", 403),
        (True, "cross-site", 403),
        (False, None, 303),
        (True, None, 303),
    ],
)
def test_a_form_without_a_referrer_is_accepted_and_another_site_s_is_not(
    secure: bool, site: str | None, status: int, visitor: Client
) -> None:
    analysis = sent(visitor)
    browser = Client(enforce_csrf_checks=True)
    page = browser.get(f"/analyses/{analysis}/", secure=secure).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    headers = {"Origin": "null"} | ({"Sec-Fetch-Site": site} if site else {})
    given = {"csrfmiddlewaretoken": token[1]}
    answer = browser.post(f"/analyses/{analysis}/cancel/", given, headers=headers, secure=secure)
    assert answer.status_code == status
    assert (analysis_status(analysis).status == Status.CANCELED) is (status == 303)


@pytest.mark.parametrize("site", ["same-origin", "cross-site", None])
@pytest.mark.parametrize("secure", [False, True])
def test_in_the_admin_a_form_without_an_origin_is_never_taken(secure: bool, site: str | None, visitor: Client) -> None:
    browser = Client(enforce_csrf_checks=True)
    page = browser.get("/admin/login/", secure=secure).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    given = {"csrfmiddlewaretoken": token[1], "username": "admin", "password": "wrong"}
    headers = {"Origin": "null"} | ({"Sec-Fetch-Site": site} if site else {})
    assert browser.post("/admin/login/", given, headers=headers, secure=secure).status_code == 403
    ours = {"Origin": f"{'https' if secure else 'http'}://testserver"}
    assert browser.post("/admin/login/", given, headers=ours, secure=secure).status_code == 200


def test_pages_are_compressed_for_who_takes_that_and_nothing_else_is(visitor: Client) -> None:
    plain = visitor.get("/")
    packed = visitor.get("/", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"]
    assert len(packed.content) < len(plain.content) / 2
    assert b"</html>" in gzip.decompress(packed.content)
    assert "Content-Encoding" not in visitor.get("/api/schema/", headers={"Accept-Encoding": "gzip"})
