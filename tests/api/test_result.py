"""What an ended analysis says beside its grades: what may be shown, and the words to show it with."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils.html import strip_tags

from backend.analyses.grades import Grade
from backend.analyses.models import Analysis
from backend.analyses.reasons import REJECTIONS
from backend.analyses.results import PhotoQuality
from backend.analyses.services.attempt import analysis_succeed
from backend.analyses.services.retention import photos_purge
from ml.labels import ABSTENTIONS, SYMPTOMS, Abstention
from tests.api.contract import ContractClient
from tests.support.analyses import (
    BUNDLE,
    IN_STATUS,
    claimed,
    failed,
    findings,
    fresh,
    past_retention,
    queued,
    rejected,
    succeeded,
)

pytestmark = [pytest.mark.database, pytest.mark.django_db]

WAITING = {"queued", "running"}
ENDED_FIELDS = {"sex", "age", "device", "photo_url", "photo_expires_at"}
TYPE_AND_DEGREE = ("uncertain", "type_key", "type_label", "degree", "degree_label")


def result_of(api: ContractClient, analysis: Analysis, language: str = "en") -> dict[str, Any]:
    return dict(api.status(analysis, Accept_Language=language).json()["result"])


def between_two_grades() -> Analysis:
    """A success with one sign between mild and moderate, and all others good."""
    analysis, grades = queued(), findings((0, 0, 0, 0, 0, 0))
    grades[4] = Grade("dandruff", 2, (0.02, 0.46, 0.5, 0.02), 0.5, "unsure")
    assert analysis_succeed(claimed(analysis), grades, bundle=BUNDLE, demo=False)
    return fresh(analysis)


def with_maps(**quality: float) -> Analysis:
    """A success with a map of one sign, and with measurements of the photo."""
    analysis, grades = queued(), findings()
    grades[1] = Grade("excess_sebum", 3, grades[1].probabilities, 0.8, None, bytes(256))
    measured = PhotoQuality(**{"brightness": 0.5, "contrast": 0.2, "sharpness": 1.0, **quality})
    assert analysis_succeed(claimed(analysis), grades, bundle=BUNDLE, demo=True, quality=measured)
    return fresh(analysis)


# Answers and photo


@pytest.mark.parametrize("status", IN_STATUS)
def test_the_answers_come_with_the_end(api: ContractClient, status: str) -> None:
    body = api.status(IN_STATUS[status](device="scope")).json()
    if status in WAITING:
        assert not ENDED_FIELDS & body.keys()
    else:
        assert (body["sex"], body["age"], body["device"]) == ("female", "30s", "scope")
        assert body.keys() >= ENDED_FIELDS


def test_a_device_that_was_not_named_is_null(api: ContractClient) -> None:
    assert api.status(failed()).json()["device"] is None


def test_the_photo_has_its_address_until_it_is_purged(api: ContractClient) -> None:
    analysis = succeeded()
    body = api.status(analysis).json()
    assert datetime.fromisoformat(body["photo_expires_at"]) == analysis.purge_at
    assert api.get(body["photo_url"])["Content-Type"] == "image/jpeg"
    past_retention(analysis)
    photos_purge()
    body = api.status(analysis).json()
    assert (body["photo_url"], body["photo_expires_at"]) == (None, None)


def test_maps_have_their_addresses_until_they_are_deleted(api: ContractClient) -> None:
    analysis = with_maps()
    urls = result_of(api, analysis)["map_urls"]
    assert list(urls) == ["excess_sebum"]
    assert api.get(urls["excess_sebum"])["Content-Type"] == "image/png"
    past_retention(analysis)
    photos_purge()
    assert result_of(api, analysis)["map_urls"] == {}


# Type and degree


@pytest.mark.parametrize(
    ("language", "type_label", "degree_label", "name", "grade_label"),
    [("en", "Combination", "Severe", "Hair loss", "Severe"), ("ko", "복합성", "중증", "탈모", "중증")],
)
def test_labels_are_in_the_language_of_the_reader(
    api: ContractClient, language: str, type_label: str, degree_label: str, name: str, grade_label: str
) -> None:
    result = result_of(api, succeeded((0, 1, 2, 0, 0, 3)), language)
    assert [result[field] for field in TYPE_AND_DEGREE] == [False, "combined", type_label, 3, degree_label]
    assert (result["skin"], result["pred"]) == ("복합성", "중증")
    finding = result["findings"][5]
    assert (finding["name"], finding["grade_label"], finding["label_key"]) == (name, grade_label, "severe")
    assert finding["label"] == "중증"


@pytest.mark.parametrize("reason", ABSTENTIONS)
def test_what_is_uncertain_has_no_key(api: ContractClient, reason: Abstention) -> None:
    unrated = {"hair_loss": reason, "dandruff": reason}
    result = result_of(api, succeeded((0, 0, 0, 0, 3, 3), unrated=unrated, demo=False))
    assert [result[field] for field in TYPE_AND_DEGREE] == [True, None, None, None, None]
    assert result["open"] is True
    finding = result["findings"][5]
    assert (finding["label_key"], finding["abstention"]) == (None, reason)
    assert finding["grade_label"] != "Severe"


def test_a_sign_between_two_grades_is_named_by_both(api: ContractClient) -> None:
    result = result_of(api, between_two_grades())
    assert [result[field] for field in TYPE_AND_DEGREE] == [True, "dandruff", "Dandruff", None, None]
    assert result["findings"][4]["grade_label"] == "Mild to moderate"
    assert result["judgment"] == {
        "type": {"certainty": "certain", "possible": ["dandruff"]},
        "degree": {"certainty": "open", "lowest": 1, "highest": 2},
        "urgency": "self_care",
        "signs": [
            {"symptom": symptom.key, "state": "between", "lowest": 1, "highest": 2, "reason": None}
            if symptom.key == "dandruff"
            else {"symptom": symptom.key, "state": "absent", "lowest": 0, "highest": 0, "reason": None}
            for symptom in SYMPTOMS
        ],
    }


# The report in words


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("demo", [True, False])
def test_the_report_says_what_the_page_says(api: ContractClient, plain_static: None, language: str, demo: bool) -> None:
    analysis = succeeded((0, 1, 2, 0, 0, 3), unrated={"fine_scaling": "unproven"}, demo=demo)
    report = result_of(api, analysis, language)["report"]
    page = Client().get(f"/analyses/{analysis.id}/", headers={"Accept-Language": language}).text
    shown = " ".join(strip_tags(page.replace("<br>", " ")).split())
    sentences = [report["headline"], report["lede"], report["action"]]
    sentences += [sign[said] for sign in report["signs"] for said in ("seen", "care", "doctor", "why")]
    sentences += [text for tier in report["doctor_tiers"] for text in (tier["heading"], *tier["cases"])]
    missing = [sentence for sentence in sentences if sentence not in shown]
    assert not missing
    assert any("가" <= letter <= "힣" for letter in json.dumps(report, ensure_ascii=False)) == (language == "ko")
    assert any(sign["doctor"] for sign in report["signs"]) == (not demo)


def test_the_most_pronounced_sign_comes_first(api: ContractClient) -> None:
    report = result_of(api, succeeded((0, 1, 2, 0, 0, 3), unrated={"fine_scaling": "unproven"}))["report"]
    assert [sign["symptom"] for sign in report["signs"]][:3] == [
        "hair_loss",
        "interfollicular_erythema",
        "excess_sebum",
    ]
    last = report["signs"][-1]
    assert (last["symptom"], last["seen"], bool(last["why"])) == ("fine_scaling", "", True)
    assert [tier["phone"] for tier in report["doctor_tiers"]] == ["119", None, None, None]


# The photo


@pytest.mark.parametrize(("measured", "good"), [({}, True), ({"brightness": 0.2}, False), ({"sharpness": 0.3}, False)])
def test_the_quality_of_the_photo_is_told(api: ContractClient, measured: dict[str, float], good: bool) -> None:
    quality = result_of(api, with_maps(**measured))["quality"]
    assert quality == {"brightness": 0.5, "contrast": 0.2, "sharpness": 1.0, **measured, "good": good}


def test_quality_that_was_not_measured_is_null(api: ContractClient) -> None:
    assert result_of(api, succeeded())["quality"] is None


@pytest.mark.parametrize(
    ("code", "tips"),
    [
        ("not_a_scalp", ["part_hair", "move_closer"]),
        ("too_far", ["part_hair", "move_closer"]),
        ("too_dark", ["more_light"]),
        ("too_bright", ["less_light"]),
        ("too_blurred", ["hold_still"]),
    ],
)
def test_a_rejection_says_what_helps(api: ContractClient, code: str, tips: list[str]) -> None:
    assert code in REJECTIONS
    assert api.status(rejected(code)).json()["rejection"]["tips"] == tips
