"""Requests that standards allow and few clients send: above all, each of them can erase."""

from __future__ import annotations

import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from structlog.testing import capture_logs

from backend.analyses.models import Analysis
from backend.config import problems
from backend.operations.long_polling import preferred_wait
from tests.support.analyses import ANSWERS, PHOTO, queued, succeeded

pytestmark = [pytest.mark.database, pytest.mark.django_db, pytest.mark.usefixtures("broker", "storage")]

ACCEPTS = ["application/problem+json", "image/jpeg", "image/*", "text/html", "application/xml;q=0.9", "nonsense", ""]


def address(analysis_id: uuid.UUID, rest: str = "") -> str:
    return f"/api/v1/analyses/{analysis_id}/{rest}"


@pytest.mark.parametrize("accept", ACCEPTS)
def test_no_accept_header_prevents_a_request(client: Client, accept: str) -> None:
    analysis = succeeded()
    headers = {"Accept": accept}
    assert client.get(address(analysis.id), headers=headers).status_code == 200
    assert client.get(address(analysis.id, "photo/"), headers=headers)["Content-Type"] == "image/jpeg"
    assert client.post(address(analysis.id, "share/"), headers=headers).status_code in {200, 201}
    assert client.delete(address(analysis.id, "share/"), headers=headers).status_code == 204
    assert client.delete(address(analysis.id), headers=headers).status_code == 204
    assert not Analysis.objects.exists()


def test_a_format_as_a_parameter_changes_nothing(client: Client) -> None:
    assert client.get(address(queued().id), {"format": "csv"})["Content-Type"] == "application/json"


def test_an_id_in_capital_letters_reads_and_erases(client: Client) -> None:
    capitals = f"/api/v1/analyses/{str(succeeded().id).upper()}/"
    assert client.get(capitals).status_code == 200
    assert client.delete(capitals).status_code == 204
    assert not Analysis.objects.exists()


def test_a_missing_slash_repeats_the_request_and_its_photo(client: Client) -> None:
    answers = {**ANSWERS, "photo": SimpleUploadedFile("a.jpg", PHOTO, "image/jpeg")}
    sent_on = client.post("/api/v1/analyses", answers)
    assert (sent_on.status_code, sent_on["Location"]) == (308, "/api/v1/analyses/")
    analysis = queued()
    sent_on = client.delete(address(analysis.id).rstrip("/"))
    assert (sent_on.status_code, sent_on["Location"]) == (308, address(analysis.id))


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
@pytest.mark.parametrize("host", ["10.0.0.7:8080", "[2001:db8::7]:8080", "web.scalp.svc", "a_b"])
def test_probes_are_answered_by_any_name(client: Client, path: str, host: str) -> None:
    assert client.get(path, headers={"Host": host}).status_code in {200, 503}


def test_a_host_that_is_refused_is_named_once_with_the_setting(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problems, "_host_lines", problems.LogLimit())
    client.raise_request_exception = False
    with capture_logs() as logged:
        answers = [client.get("/api/v1/queue/", headers={"Host": f"nas{n}.local"}) for n in range(3)]
    assert {answer.status_code for answer in answers} == {400}
    lines = [line for line in logged if line["event"] == "host_refused"]
    assert [(line["host"], line["setting"]) for line in lines] == [("nas0.local", "SCALP_ALLOWED_HOSTS")]


@pytest.mark.parametrize("prefer", ["wait=5", "Wait=5", "respond-async, WAIT=5"])
def test_names_of_preferences_are_case_insensitive(rf: RequestFactory, prefer: str) -> None:
    assert preferred_wait(rf.get("/", headers={"Prefer": prefer})) == 5


@pytest.mark.parametrize("form", ["{}", "W/{}", "{}-gzip", "W/{}-gzip"])
def test_an_etag_is_known_after_a_proxy_has_compressed(client: Client, form: str) -> None:
    analysis = succeeded()
    etag = client.get(address(analysis.id))["ETag"]
    known = form.format(etag).replace('"-gzip', '-gzip"')
    assert client.get(address(analysis.id), headers={"If-None-Match": known}).status_code == 304
