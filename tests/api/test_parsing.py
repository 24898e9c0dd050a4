"""How the API parses requests, with anything that a client may send."""

from __future__ import annotations

import contextlib
import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.analyses.models import Age, Analysis, Device, Sex
from backend.analyses.services.submission import answers_check
from backend.config.errors import InvalidFields
from backend.operations.long_polling import MAX_WAIT_SECONDS, preferred_wait
from backend.operations.middleware import REQUEST_ID_PATTERN, request_id_of
from backend.operations.throttle import client_address
from tests.api.contract import ANALYSES, ContractClient, address
from tests.api.test_polling import PROMISED, Passed, short_way
from tests.support.analyses import IN_STATUS, queued

pytestmark = pytest.mark.django_db

#: What a header may hold as WSGI hands it over: any byte but those that end it (PEP 3333, RFC 9110 5.5).
BYTES = st.text(st.characters(codec="latin-1", exclude_characters="\0\r\n"), max_size=200)


def sometimes(*known: str) -> st.SearchStrategy[str]:
    """Any header, or one that begins as the known ones do."""
    pieces = st.sampled_from([*known, ",", ";", "=", '"', " ", "*", "q=0.5", "\xff", "-", "9" * 30])
    return BYTES | st.lists(pieces, max_size=12).map("".join)


HEADERS = {
    "Prefer": sometimes("wait", "wait=1", "respond-async", "wait=0"),
    "If-None-Match": sometimes('"1.ko"', "W/", '"'),
    "Accept-Language": sometimes("ko", "en", "ko-KR", "en-US"),
    "Accept": sometimes("application/json", "*/*", "text/html", "application/"),
    "X-Forwarded-For": sometimes("127.0.0.1", "::1", "1.2.3.4:80", "[::1]:9", "unknown"),
    "X-Request-ID": sometimes("0123456789abcdef"),
    "Idempotency-Key": sometimes("key"),
    "Cookie": sometimes("django_language", "en", "sessionid", "csrftoken"),
    "Content-Type": sometimes("multipart/form-data", "boundary", "application/json", "charset"),
    "Origin": sometimes("null", "http://", "testserver"),
    "Sec-Fetch-Site": sometimes("same-origin", "cross-site"),
    "HX-Current-URL": sometimes("http://testserver/", "%"),
    "HX-Current-URL-URI-AutoEncoded": sometimes("true"),
    "Range": sometimes("bytes", "0-0"),
}

many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(headers=st.fixed_dictionaries({}, optional=HEADERS), data=st.data())
@many
def test_no_header_makes_an_error_of_ours(db: None, headers: dict[str, str], data: st.DataObject) -> None:
    headers["Prefer"] = headers.get("Prefer", "").replace("wait=", "wait=0")  # Nothing here changes what is waited for.
    api = ContractClient()
    analysis = Analysis.objects.first() or queued()
    method = data.draw(st.sampled_from(["get", "head", "post", "put", "patch", "delete", "options"]))
    paths = [ANALYSES, address(analysis, "retry"), address(analysis, "share"), "/api/v1/queue/", address(uuid4())]
    paths += [address(analysis)] if method != "delete" else []
    api.generic(method.upper(), data.draw(st.sampled_from(paths)), b"{}", headers=headers)  # Holds it to the contract.


@given(query=st.text(st.characters(codec="ascii", exclude_characters="#\r\n "), max_size=200))
@pytest.mark.parametrize("path", ["/api/v1/queue/", ANALYSES, "/api/schema/", "/healthz", "/readyz", "/metrics"])
@many
def test_no_query_makes_an_error_of_ours(db: None, path: str, query: str) -> None:
    answer = ContractClient().get(path, QUERY_STRING=query)
    assert answer.status_code < 500 or path == "/readyz"


PAGES = ["/", "/sample/", "/history/", "/offline/", "/manifest.webmanifest", "/sw.js", "/admin/login/", "/api/docs/"]


@given(
    path=st.sampled_from(PAGES),
    query=st.dictionaries(st.sampled_from(["next", "sample", "lang", "q", "script"]), st.text(max_size=30), max_size=3),
    headers=st.fixed_dictionaries(
        {}, optional={name: HEADERS[name] for name in ("Accept-Language", "Cookie", "HX-Current-URL", "Range")}
    ),
)
@many
def test_no_query_and_no_cookie_makes_a_page_fail(
    db: None, plain_static: None, path: str, query: dict[str, str], headers: dict[str, str]
) -> None:
    assert Client().get(path, query, headers=headers).status_code < 500


@given(query=st.dictionaries(st.sampled_from(["format", "lang", "version", "script"]), BYTES | st.text(max_size=30)))
@many
def test_no_wish_for_the_schema_makes_an_error_of_ours(db: None, query: dict[str, str]) -> None:
    assert ContractClient().get("/api/schema/", query).status_code < 500


@given(path=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60))
@many
def test_no_address_makes_an_error_of_ours(db: None, path: str) -> None:
    for head in ("/api/v1/", ANALYSES, f"{ANALYSES}{uuid4()}"):
        assert ContractClient().get(head + path).status_code in {200, 308, 404, 405}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_subnormal=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["symptom", "opinion", "x"]), inner),
    max_leaves=12,
)


@given(body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
@many
def test_no_opinion_makes_an_error_of_ours(db: None, body: bytes) -> None:
    analysis = Analysis.objects.filter(status="succeeded").first() or IN_STATUS["succeeded"]()
    answer = ContractClient().generic("POST", address(analysis, "feedback"), body, "application/json")
    assert answer.status_code in {204, 400, 422}


@given(given=st.dictionaries(st.sampled_from(["sex", "age", "device", "consent"]), st.text(max_size=40)))
@settings(max_examples=300)
def test_answers_are_known_ones_or_refused(given: dict[str, str]) -> None:
    with contextlib.suppress(InvalidFields):
        answers = answers_check(given, photo=b"")
        assert answers.sex in Sex
        assert answers.age in Age
        assert answers.device is None or answers.device in Device


@given(key=BYTES)
@many
def test_a_key_is_taken_or_refused(db: None, key: str) -> None:
    answer = ContractClient().submit(headers={"Idempotency-Key": key})
    proper = 1 <= len(key) <= 255 and key.isascii() and key.isprintable()
    assert answer.status_code == (202 if proper else 422)


@given(told=HEADERS["Prefer"])
@settings(max_examples=300)
def test_a_wish_to_wait_is_within_its_bounds(told: str) -> None:
    assert 0 <= preferred_wait(RequestFactory().get("/", headers={"Prefer": told})) <= MAX_WAIT_SECONDS


@given(told=HEADERS["X-Request-ID"])
@settings(max_examples=300)
def test_the_id_of_a_request_is_one_that_may_be_logged(told: str) -> None:
    assert REQUEST_ID_PATTERN.fullmatch(request_id_of({"HTTP_X_REQUEST_ID": told}))


@given(forwarded=HEADERS["X-Forwarded-For"], trusted=st.integers(0, 3))
@many
def test_a_sender_is_whoever_the_trusted_proxies_name(settings: Any, forwarded: str, trusted: int) -> None:
    settings.TRUSTED_PROXIES = trusted
    ours = ", ".join(f"10.0.0.{n}" for n in range(trusted))
    request = RequestFactory().get("/", headers={"X-Forwarded-For": ", ".join(filter(None, (forwarded, ours)))})
    assert client_address(request) == ("10.0.0.0" if trusted else "127.0.0.1")


HOSTS = sometimes("testserver", "localhost", ":", "80", "[", "]", "@")


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
@given(
    status=st.sampled_from(sorted(IN_STATUS)),
    headers=st.fixed_dictionaries(
        {}, optional={"Host": HOSTS, **{name: HEADERS[name] for name in ("Accept-Language", "X-Request-ID")}}
    ),
    tag=HEADERS["If-None-Match"] | st.none(),
)
@many
def test_the_short_way_of_a_poll_says_what_the_long_one_does(
    transactional_db: None, status: str, headers: dict[str, str], tag: str | None
) -> None:
    path = address(Analysis.objects.filter(status=status).first() or IN_STATUS[status]())
    language = {"Accept-Language": headers.get("Accept-Language", "")}
    headers = {"Host": "testserver", **headers, "If-None-Match": tag or Client().get(path, headers=language)["ETag"]}
    long = Client(raise_request_exception=False).get(path, headers=headers)
    try:
        told, said, body = short_way(path, **{name.replace("-", "_"): value for name, value in headers.items()})
    except Passed:
        return
    assert (told, body) == (long.status_code, long.content)
    for name in PROMISED:
        assert said.get(name) == long.headers.get(name) or (told == 304 and name.startswith("Content-")), name
