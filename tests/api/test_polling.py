"""Polls as the web server passes them on: what is answered before Django's own way begins is what that would say."""

from __future__ import annotations

import io
import sys
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backend.analyses.services.control import analysis_erase
from tests.api.conftest import Worker
from tests.api.contract import ContractClient, address
from tests.support.analyses import IN_STATUS, queued, running

# The short way ends with the connection given back, which a test inside of one transaction could not stand.
pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

#: What both ways must say alike; the others guard pages in browsers.
PROMISED = ["Cache-Control", "Content-Language", "Content-Type", "ETag", "Referrer-Policy", "Retry-After", "Vary"]


class Passed(Exception):
    """The request went the long way."""


def long_way(environ: Any, start_response: Any) -> Any:
    raise Passed


def short_way(path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the short way. Raises Passed where it leaves the answer to Django."""
    from backend.analyses.api.polling import Polls

    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": "", "SERVER_NAME": "testserver",
        "SERVER_PORT": "80", "HTTP_HOST": "testserver", "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr,
        **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
    }  # fmt: skip
    told: list[Any] = []
    body = b"".join(Polls(long_way)(environ, lambda status, headers: told.extend((status, headers))))
    return int(told[0][:3]), dict(told[1]), body


def alike(path: str, **headers: str) -> int:
    """Fail unless both ways answer alike; the status that they answer."""
    long = Client().get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    status, told, body = short_way(path, **headers)
    assert (status, body) == (long.status_code, long.content if status != 304 else b"")
    for name in PROMISED:
        assert (
            told.get(name) == long.headers.get(name)
            or (status, name) == (304, "Content-Language")
            or ((status, name) == (304, "Content-Type"))
        ), name
    return status


@pytest.mark.parametrize("make", [queued, running])
@pytest.mark.parametrize("language", ["ko-KR,ko;q=0.9,en;q=0.8", "en", "fr, *;q=0.1", "", "nonsense;;q", "\xff\xfe"])
def test_what_waits_is_answered_alike_by_the_short_way(worker: Worker, make: Any, language: str) -> None:
    worker()
    queued()
    assert alike(address(make()), Accept_Language=language) == 200


@pytest.mark.parametrize("status", IN_STATUS)
@pytest.mark.parametrize("given", ["{etag}", "W/{etag}", '"other", {etag}', "*"])
def test_what_is_known_is_answered_alike_by_the_short_way(status: str, given: str) -> None:
    analysis = IN_STATUS[status]()
    etag = Client().get(address(analysis), headers={"Accept-Language": "en"})["ETag"]
    assert alike(address(analysis), Accept_Language="en", If_None_Match=given.format(etag=etag)) == 304


@pytest.mark.parametrize("given", ['"other"', "no quotes", '"other", "*"', ",,,"])
def test_what_is_not_known_is_sent_by_the_short_way_as_well(given: str) -> None:
    assert alike(address(queued()), Accept_Language="en", If_None_Match=given) == 200


@pytest.mark.parametrize("make", [queued, running])
def test_a_poll_is_one_query_whether_or_not_its_answer_is_known(worker: Worker, make: Any) -> None:
    worker()
    path = address(make())
    with CaptureQueriesContext(connection) as queries:
        status, headers, _body = short_way(path)
    assert (status, len(queries)) == (200, 1)
    with CaptureQueriesContext(connection) as queries:
        status, _headers, _body = short_way(path, If_None_Match=headers["ETag"])
    assert (status, len(queries)) == (304, 1)


@pytest.mark.parametrize("status", sorted(IN_STATUS.keys() - {"queued", "running"}))
def test_an_end_that_is_news_goes_the_long_way(status: str) -> None:
    with pytest.raises(Passed):
        short_way(address(IN_STATUS[status]()))


@pytest.mark.parametrize(
    "unusual",
    [{"method": "HEAD"}, {"method": "DELETE"}, {"Prefer": "wait=5"}, {"Cookie": "a=b"}, {"Host": "evil.example"}],
)
def test_whatever_is_unusual_goes_the_long_way(unusual: dict[str, str]) -> None:
    with pytest.raises(Passed):
        short_way(address(queued()), **unusual)


def test_an_id_that_is_not_there_goes_the_long_way() -> None:
    analysis = queued()
    analysis_erase(analysis.id)
    for path in (address(analysis), address(uuid.uuid4()), address(queued(), "cancel"), "/api/v1/queue/", "/"):
        with pytest.raises(Passed):
            short_way(path)


def test_a_request_keeps_the_id_that_it_came_with(api: ContractClient) -> None:
    path = address(queued())
    assert short_way(path, X_Request_ID="0123456789abcdef")[1]["X-Request-ID"] == "0123456789abcdef"
    assert short_way(path, X_Request_ID="\xff")[1]["X-Request-ID"] != "\xff"
