"""GET /api/v1/analyses/{id}/export/"""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils.dateparse import parse_datetime

from backend.analyses.models import Analysis, Feedback, Finding, Human, Share
from backend.analyses.services.retention import photos_purge
from tests.api.contract import ContractClient, address, published_schema
from tests.support.analyses import ANSWERS, GRADES, IN_STATUS, past_retention, succeeded

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

#: What names a row to the database alone, or is the export's own way to say the same.
INSIDE = {Analysis: {"human"}, Finding: {"id", "analysis"}, Feedback: {"id", "analysis"}, Share: {"analysis"}}


def whole(api: ContractClient) -> tuple[Analysis, dict[str, Any]]:
    """An analysis of which there is something in every table, and its export."""
    analysis = succeeded(device="phone")
    Finding.objects.update(map=bytes(range(256)))
    api.post(address(analysis, "feedback"), {"symptom": "dandruff", "opinion": "less"}, content_type="application/json")
    api.post(address(analysis, "share"))
    return analysis, api.get(address(analysis, "export")).json()


def test_it_is_a_download_that_nobody_keeps(api: ContractClient) -> None:
    answer = api.get(address(succeeded(), "export"))
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer["Content-Disposition"] == 'attachment; filename="scalpspectra-analysis.json"'
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Referrer-Policy"] == "no-referrer"


def test_every_column_of_every_table_is_in_it_and_in_the_docs(api: ContractClient) -> None:
    _analysis, told = whole(api)
    schemas = published_schema()["components"]["schemas"]
    rows = {
        Analysis: (told["analysis"], "StoredAnalysisSchema"),
        Finding: (told["findings"][0], "StoredFindingSchema"),
        Human: (told["human"], "StoredHumanSchema"),
        Feedback: (told["feedback"][0], "StoredFeedbackSchema"),
        Share: (told["share"], "StoredShareSchema"),
    }
    for model, (row, schema) in rows.items():
        columns = {field.db_column or field.name for field in model._meta.concrete_fields} - INSIDE.get(model, set())
        assert columns <= set(row) == set(schemas[schema]["required"]), model
    assert set(told) == set(schemas["ExportSchema"]["required"])


def test_it_tells_what_was_answered_found_thought_and_shared(api: ContractClient) -> None:
    analysis, told = whole(api)
    row = told["analysis"]
    assert {name: row[name] for name in ("sex", "age", "device")} == {
        "sex": ANSWERS["sex"], "age": ANSWERS["age"], "device": "phone",
    }  # fmt: skip
    assert row["id"] == str(analysis.pk)
    assert abs((parse_datetime(row["consented_at"]) - analysis.consented_at).total_seconds()) < 0.01
    assert [finding["grade"] for finding in told["findings"]] == list(GRADES)
    assert all(finding[f"probability_{finding['grade']}"] == 0.8 for finding in told["findings"])
    assert base64.b64decode(told["findings"][0]["map"]) == bytes(range(256))
    assert told["human"] | {"id": 0} == {"id": 0, "sex": "여", "age": "30대", "pred": "중증", "skin": "지성"}
    assert [(said["symptom"], said["opinion"]) for said in told["feedback"]] == [("dandruff", "less")]
    assert told["share"]["url"].endswith(f"/shared/{Share.objects.get().pk}/")


def test_the_photo_is_at_the_address_that_it_names_until_it_is_purged(api: ContractClient) -> None:
    analysis, told = whole(api)
    assert api.get(told["analysis"]["photo"].removeprefix("http://testserver"))["Content-Type"] == "image/jpeg"
    assert analysis.photo not in json.dumps(told)
    past_retention(analysis)
    photos_purge()
    later = api.get(address(analysis, "export")).json()
    assert later["analysis"]["photo"] is None
    assert {finding["map"] for finding in later["findings"]} == {None}
    assert parse_datetime(told["retention"]["photo_purged_after"]) == parse_datetime(told["analysis"]["purge_at"])


def test_nothing_of_others_is_in_it(api: ContractClient) -> None:
    other = succeeded((0, 0, 0, 0, 0, 0), sex="male", age="80s")
    _analysis, told = whole(api)
    text = json.dumps(told, ensure_ascii=False)
    for secret in (str(other.pk), other.pk.hex, other.fingerprint, "80대", "남"):
        assert secret not in text


@pytest.mark.parametrize("language", ["ko", "en"])
def test_it_says_what_is_not_in_it_and_why_in_the_reader_s_language(api: ContractClient, language: str) -> None:
    told = api.get(address(succeeded(), "export"), headers={"Accept-Language": language}).json()
    assert [one["what"] for one in told["not_included"]] == ["photo", "original", "logs", "sender", "clicks"]
    for text in (told["retention"]["rest"], *(one["why"] for one in told["not_included"])):
        assert text.isascii() is (language == "en")


@pytest.mark.parametrize("status", IN_STATUS)
def test_there_is_one_in_every_status(api: ContractClient, status: str) -> None:
    told = api.get(address(IN_STATUS[status](), "export")).json()
    assert told["analysis"]["status"] == status
    assert len(told["findings"]) == (6 if status == "succeeded" else 0)
    assert (told["human"] is not None) is (status == "succeeded")


def test_of_what_was_erased_or_never_there_there_is_none(api: ContractClient) -> None:
    analysis = succeeded()
    api.delete(address(analysis))
    gone, unknown = api.get(address(analysis, "export")), api.get(address(uuid.uuid4(), "export"))
    assert (gone.status_code, gone.json()["code"]) == (410, "analysis_erased")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "analysis_unknown")


@pytest.mark.parametrize(("language", "words"), [("en", "Download my data"), ("ko", "내 데이터 내려받기")])
@pytest.mark.parametrize("page", ["", "erase/"])
def test_report_and_erase_page_offer_it(plain_static: None, page: str, language: str, words: str) -> None:
    analysis = succeeded()
    text = Client(headers={"Accept-Language": language}).get(f"/analyses/{analysis.pk}/{page}").text
    assert f'href="{address(analysis, "export")}" download>{words}</a>' in text


def test_a_shared_report_does_not_offer_it(api: ContractClient, plain_static: None) -> None:
    link = api.post(address(succeeded(), "share")).json()["url"]
    assert "/export/" not in api.get(link.removeprefix("http://testserver")).text
