"""/api/schema/ and /api/docs/"""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.analyses import ANSWERS
from tests.api.contract import published_schema


def test_the_schema_is_valid_openapi_3_1() -> None:
    schema = published_schema()
    assert schema["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(schema).validate()


def test_the_schema_is_made_without_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=io.StringIO())
    assert "Warning" not in capsys.readouterr().err


def test_it_describes_every_call_of_the_api() -> None:
    calls = {(method, path) for path, operations in published_schema()["paths"].items() for method in operations}
    assert calls >= {
        ("post", "/api/v1/analyses/"),
        ("get", "/api/v1/analyses/{analysis_id}/"),
        ("delete", "/api/v1/analyses/{analysis_id}/"),
        ("post", "/api/v1/analyses/{analysis_id}/cancel/"),
        ("post", "/api/v1/analyses/{analysis_id}/retry/"),
        ("get", "/api/v1/analyses/{analysis_id}/photo/"),
        ("get", "/api/v1/analyses/{analysis_id}/export/"),
        ("post", "/api/v1/analyses/{analysis_id}/share/"),
        ("delete", "/api/v1/analyses/{analysis_id}/share/"),
        ("post", "/api/v1/analyses/{analysis_id}/feedback/"),
        ("get", "/api/v1/queue/"),
    }


def test_the_form_that_it_describes_is_the_one_that_is_taken() -> None:
    form = published_schema()["components"]["schemas"]["SubmissionSchema"]
    assert set(form["required"]) == {"photo", *ANSWERS}
    assert set(form["properties"]) == {"photo", "device", *ANSWERS}
    assert (form["properties"]["photo"]["type"], form["properties"]["photo"]["format"]) == ("string", "binary")


def test_the_reader_may_ask_for_yaml_or_json(client: Client) -> None:
    assert client.get("/api/schema/").text.startswith("openapi: 3.1.0")
    assert client.get("/api/schema/", headers={"Accept": "application/json"}).json()["openapi"] == "3.1.0"
    assert client.get("/api/schema/?format=nonsense").status_code == 404
    assert client.get("/api/schema/?lang=nonsense").status_code in {200, 404}


@pytest.mark.parametrize("query", ["", "?script="])
def test_the_docs_come_from_no_other_host(client: Client, plain_static: None, query: str) -> None:
    answer = client.get(f"/api/docs/{query}")
    assert answer.status_code == 200
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
    addresses = re.findall(r"""(?:src|href)=["']([^"']+)|url: ["']([^"']+)""", answer.text)
    found = [first or second for first, second in addresses]
    assert found or query
    for address in found:
        assert address.startswith("/"), address
        assert not address.startswith("//"), address
        if address.startswith("/static/"):
            assert finders.find(address.removeprefix("/static/")), address


def test_the_docs_need_no_script_body_in_the_page(client: Client, plain_static: Any) -> None:
    page = client.get("/api/docs/").text
    assert all(not body.strip() for body in re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL))


def test_the_docs_take_no_method_but_to_read(client: Client) -> None:
    for method in ("OPTIONS", "POST", "DELETE"):
        assert client.generic(method, "/api/docs/").status_code == 405
