"""GET /api/v1/"""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils.html import strip_tags

from backend.analyses.models import Age, Device, Sex
from backend.analyses.presentation.consent import CONSENT_VERSION
from backend.config.errors import COMMON, UserError, error_codes
from tests.api.contract import ContractClient, published_schema
from tests.support.analyses import ANSWERS
from tests.support.pictures import photo_jpeg

pytestmark = pytest.mark.django_db

INDEX = "/api/v1/"

#: SHA-256 of the consent in English by version: a change of the text needs a new version and a new line here.
CONSENTS = {"2026-11-30": "673314e655049dceebde0819cdf33e214003f33c401dc79de55382942dfcdd94"}


def index(api: ContractClient, language: str = "en") -> dict[str, Any]:
    answer = api.get(INDEX, headers={"Accept-Language": language})
    assert answer.status_code == 200
    return dict(answer.json())


def test_it_links_every_address_of_the_schema(api: ContractClient, plain_static: None) -> None:
    links = index(api)["links"]
    assert set(links.values()) == {*published_schema()["paths"], "/api/schema/", "/api/docs/"}
    assert len(set(links.values())) == len(links)
    for name in ("queue", "clinics", "products", "statistics", "schema", "docs"):
        assert api.get(links[name]).status_code == 200


def test_its_limits_are_those_that_hold(api: ContractClient) -> None:
    limits = index(api)["limits"]
    least = limits["photo_min_side"]
    assert api.submit(photo_jpeg(least, least)).status_code == 202
    for code, picture in {
        "photo_too_small": photo_jpeg(least, least - 1),
        "photo_too_narrow": photo_jpeg(int(least * (limits["photo_max_aspect"] + 1)), least),
        "photo_too_large": bytes(limits["photo_max_bytes"] + 1),
    }.items():
        assert api.submit(picture).json()["code"] == code
    form = published_schema()["paths"]["/api/v1/analyses/"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert form["encoding"]["photo"]["contentType"].split(", ") == limits["photo_types"]
    assert limits["photo_retention_hours"] == settings.RETENTION_HOURS
    assert Age.TEENS.label.startswith(str(limits["min_age"]))


def test_its_choices_are_those_that_are_accepted(api: ContractClient) -> None:
    choices = index(api)["choices"]
    for field, values in {"sex": Sex.values, "age": Age.values, "device": Device.values}.items():
        assert [choice["key"] for choice in choices[field]] == values
        for choice in choices[field]:
            assert api.submit(**{**ANSWERS, field: choice["key"]}).status_code == 202


@pytest.mark.parametrize("language", ["en", "ko"])
def test_its_consent_is_that_of_the_form(api: ContractClient, plain_static: None, language: str) -> None:
    consent = index(api, language)["consent"]
    page = Client().get("/", headers={"Accept-Language": language}).text
    shown = " ".join(strip_tags(page).split())
    facts = [text for fact in consent["facts"] for text in (fact["heading"], fact["text"])]
    assert " ".join([consent["heading"], *facts, consent["agreement"]]) in shown
    assert any("가" <= letter <= "힣" for letter in consent["heading"]) == (language == "ko")


def test_another_consent_has_another_version(api: ContractClient) -> None:
    consent = index(api)["consent"]
    assert consent["version"] == CONSENT_VERSION
    texts = [consent["agreement"], *(fact["text"] for fact in consent["facts"])]
    assert hashlib.sha256("\n".join(texts).encode()).hexdigest() == CONSENTS[CONSENT_VERSION]


def test_it_lists_every_code_of_an_error(api: ContractClient) -> None:
    told = {error["code"]: error["status"] for error in index(api)["errors"]}
    assert told == {code: status for code, (status, _detail) in error_codes().items()}
    assert set(told) >= {code for code, _detail in COMMON.values()} | {"queue_full", "photo_animated", "share_ended"}
    assert set(told) >= {error.code for error in UserError.__subclasses__() if hasattr(error, "code")}
    assert all(error["detail"] for error in index(api)["errors"])
    assert published_schema()["components"]["schemas"]["ProblemSchema"]["properties"]["code"]["enum"] == [*told]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_is_only_read(api: ContractClient, method: str) -> None:
    assert getattr(api, method)(INDEX).status_code == 405
