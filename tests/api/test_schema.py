"""/api/schema/ and /api/docs/"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from typing import Any, get_args

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from django.utils.translation import trans_real
from openapi_spec_validator import OpenAPIV31SpecValidator

from backend.analyses.reasons import REJECTIONS
from backend.config.errors import FieldErrorCode
from tests.api.contract import published_schema, validator
from tests.support.analyses import ANSWERS
from tests.support.environment import ROOT

EXAMPLES = ROOT / "backend/config/api_examples.json"


def test_the_schema_is_valid_openapi_3_1() -> None:
    schema = published_schema()
    assert schema["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(schema).validate()


def test_the_schema_is_made_without_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=io.StringIO())
    assert "Warning" not in capsys.readouterr().err


def test_it_names_each_code_of_a_rejection() -> None:
    assert published_schema()["components"]["schemas"]["RejectionEnum"]["enum"] == [*REJECTIONS]
    assert "too_far" in REJECTIONS


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


def operations() -> list[dict[str, Any]]:
    return [operation for address in published_schema()["paths"].values() for operation in address.values()]


def test_every_operation_has_a_summary() -> None:
    for operation in operations():
        assert 0 < len(operation["summary"]) <= 100, operation["operationId"]
        assert operation["description"].startswith(operation["summary"])
    assert len(operations()) >= 21


def test_every_body_in_json_has_an_example_that_its_schema_allows() -> None:
    for operation in operations():
        bodies = list(operation.get("requestBody", {}).get("content", {}).values())[:1]
        for response in operation["responses"].values():
            bodies += [body for kind, body in response.get("content", {}).items() if kind.endswith("json")]
        for body in bodies:
            assert body.get("example"), operation["operationId"]
            validator(body["schema"]["$ref"]).validate(body["example"])


def test_every_example_belongs_to_an_operation() -> None:
    assert json.loads(EXAMPLES.read_text()).keys() <= {operation["operationId"] for operation in operations()}


@pytest.mark.parametrize("language", ["", "en", "ko"])
def test_it_is_in_english_unless_korean_is_asked_for(client: Client, language: str) -> None:
    answer = client.get("/api/schema/", {"lang": language, "format": "json"}, headers={"Accept-Language": "ko"})
    ages = json.loads(answer.content)["components"]["schemas"]["AgeEnum"]["description"]
    assert ("14 to 19" in ages) == (language != "ko")
    assert answer["Content-Language"] == (language or "en")


def test_it_names_the_server_and_every_code_of_an_error(client: Client) -> None:
    assert published_schema()["servers"] == [{"url": "/", "description": "This service."}]
    schemas = published_schema()["components"]["schemas"]
    assert {"analysis_unknown", "photo_too_large", "group_unknown"} < {
        *schemas["ProblemSchema"]["properties"]["code"]["enum"]
    }
    assert schemas["FieldErrorEnum"]["enum"] == list(get_args(FieldErrorCode))
    assert schemas["FailureEnum"]["enum"][0] == "attempts_exhausted"


def test_the_form_that_it_describes_is_the_one_that_is_taken() -> None:
    form = published_schema()["components"]["schemas"]["SubmissionSchema"]
    assert set(form["required"]) == {"photo", *ANSWERS}
    assert set(form["properties"]) == {"photo", "device", *ANSWERS}
    assert (form["properties"]["photo"]["type"], form["properties"]["photo"]["format"]) == ("string", "binary")


@pytest.mark.parametrize(
    "key", ["k", "k-1", "two words", "k" * 255, "", "k" * 256, " k", "k ", "schlüssel", "k\t1", "\x7f"]
)
def test_the_key_that_it_describes_is_the_one_that_is_taken(key: str) -> None:
    [described] = published_schema()["paths"]["/api/v1/analyses/"]["post"]["parameters"]
    taken = 1 <= len(key) <= 255 and key.isascii() and key.isprintable() and key == key.strip()
    assert bool(re.search(described["schema"]["pattern"], key)) is taken


def test_it_names_the_media_types_of_photos() -> None:
    form = published_schema()["paths"]["/api/v1/analyses/"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert form["encoding"]["photo"]["contentType"].split(", ") == [
        "image/jpeg", "image/heic", "image/png", "image/webp", "image/bmp",
    ]  # fmt: skip


def test_the_reader_may_ask_for_yaml_or_json(client: Client) -> None:
    assert client.get("/api/schema/").text.startswith("openapi: 3.1.0")
    assert client.get("/api/schema/", headers={"Accept": "application/json"}).json()["openapi"] == "3.1.0"
    assert client.get("/api/schema/?format=nonsense").status_code == 404
    assert client.get("/api/schema/?lang=nonsense").status_code in {200, 404}


@pytest.mark.parametrize("language", ["nonsense", "ko-KR", "../../ko", "\0", "x" * 500])
def test_a_language_that_there_is_not_leaves_no_catalog_behind(client: Client, language: str) -> None:
    assert client.get("/api/schema/", {"lang": language}).status_code == 404
    assert language not in trans_real._translations


@pytest.mark.parametrize("language", ["", "en", "ko"])
def test_the_schema_is_there_in_each_language(client: Client, language: str) -> None:
    assert client.get("/api/schema/", {"lang": language}).status_code == 200


AT_ONCE = """
import django
django.setup()
from django.test import Client
from tests.support.threads import at_once
print({answer.status_code for answer in at_once(lambda: Client().get("/api/schema/"), times=8)})
"""


def test_the_first_who_ask_for_it_may_ask_at_once() -> None:
    # In a process of its own, which has not been asked before.
    done = subprocess.run([sys.executable, "-c", AT_ONCE], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "{200}\n", done.stderr[-3000:]


@pytest.mark.parametrize("version", ["2", "a\r\nSet-Cookie: b=c", "두피"])
def test_there_is_one_version_whichever_is_asked_for(client: Client, version: str) -> None:
    answer = client.get("/api/schema/", {"version": version})
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == 'inline; filename="ScalpSpectra.yaml"'
    assert not answer.cookies


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
