"""GET /api/v1/analyses/{id}/"""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection

from backend.analyses.reasons import REASONS, REJECTIONS, reason_text
from backend.analyses.services.attempt import analysis_succeed, claim_progress
from backend.analyses.services.control import analysis_cancel, analysis_erase
from ml.labels import ABSTENTIONS, GRADES, SYMPTOMS, Abstention
from tests.api.conftest import Worker
from tests.api.contract import ContractClient, address
from tests.support.analyses import (
    BUNDLE,
    IN_STATUS,
    claimed,
    failed,
    findings,
    fresh,
    queued,
    rejected,
    running,
    succeeded,
)

pytestmark = [pytest.mark.database, pytest.mark.django_db]

WAITING = ["queued", "running"]
ENDED = sorted(IN_STATUS.keys() - set(WAITING))


# What each status says


@pytest.mark.parametrize("status", IN_STATUS)
def test_every_status_answers_200_and_says_which_it_is(api: ContractClient, worker: Worker, status: str) -> None:
    worker()
    analysis = IN_STATUS[status]()
    answer = api.status(analysis)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["id"], body["status"]) == (str(analysis.id), status)
    assert (body["position"] is not None) == (status == "queued")
    assert (body["eta_seconds"] is not None) == (status in WAITING)
    assert (body["finished_at"] is not None) == (status in ENDED)
    assert (body["result"] is not None) == (status == "succeeded")
    assert (body["rejection"] is not None) == (status == "rejected")
    assert (body["failure"] is not None) == (status in {"failed", "expired"})


def test_a_success_tells_six_findings_in_order_and_what_follows_from_them(api: ContractClient) -> None:
    body = api.status(succeeded((0, 1, 2, 0, 0, 3))).json()
    result = body["result"]
    assert [finding["symptom"] for finding in result["findings"]] == [symptom.key for symptom in SYMPTOMS]
    assert [finding["grade"] for finding in result["findings"]] == [0, 1, 2, 0, 0, 3]
    assert result["findings"][5] == {
        "symptom": "hair_loss",
        "name": "Hair loss",
        "grade": 3,
        "label": "중증",
        "label_key": "severe",
        "grade_label": "Severe",
        "confidence": 0.8,
        "abstains": False,
        "abstention": None,
        "probabilities": [0.0667, 0.0667, 0.0667, 0.8],
    }
    assert (result["skin"], result["pred"]) == ("복합성", GRADES[3].korean)
    assert (result["open"], result["open_signs"]) == (False, [])
    assert (result["bundle"], result["demo"]) == (BUNDLE, True)
    assert body["models_done"] == body["models_total"] == 7


@pytest.mark.parametrize("reason", ABSTENTIONS)
def test_a_sign_that_is_not_rated_says_why_and_opens_the_type(api: ContractClient, reason: Abstention) -> None:
    result = api.status(succeeded((0, 1, 0, 0, 0, 3), unrated={"hair_loss": reason})).json()["result"]
    assert [finding["abstention"] for finding in result["findings"]] == [None] * 5 + [reason]
    assert [finding["abstains"] for finding in result["findings"]] == [False] * 5 + [True]
    assert (result["open"], result["open_signs"]) == (True, ["hair_loss"])
    counted = ("탈모성", "중증") if reason == "unsure" else ("지성", "경증")
    assert (result["skin"], result["pred"]) == counted


def test_findings_of_a_worker_that_named_no_reason_are_unsure(api: ContractClient) -> None:
    analysis = succeeded()
    analysis.findings.filter(symptom="dandruff").update(abstains=True)
    told = {one["symptom"]: one["abstention"] for one in api.status(analysis).json()["result"]["findings"]}
    assert told == dict.fromkeys(told) | {"dandruff": "unsure"}


def test_progress_counts_models(api: ContractClient, worker: Worker) -> None:
    worker(seconds=14.0)
    analysis = queued()
    claim = claimed(analysis)
    seen = []
    for done in (0, 1, 6):
        claim_progress(claim, models_done=done)
        seen.append(api.status(analysis).json())
    assert [body["models_done"] for body in seen] == [0, 1, 6]
    assert [body["eta_seconds"] for body in seen] == [14, 12, 2]


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("code", [code for code in REASONS if code not in {*REJECTIONS, "waited_too_long"}])
def test_a_failure_has_a_reason_in_the_language_of_the_reader(api: ContractClient, code: str, language: str) -> None:
    answer = api.status(failed(code), Accept_Language=language)
    failure = answer.json()["failure"]
    assert failure["code"] == code
    assert answer["Content-Language"] == language
    assert any("가" <= letter <= "힣" for letter in failure["detail"]) == (language == "ko")


def test_a_failure_of_a_kind_without_words_of_its_own_has_a_reason_too(api: ContractClient) -> None:
    assert api.status(failed("internal_error")).json()["failure"] == {
        "code": "internal_error",
        "detail": "Something went wrong on our side. Please try again.",
    }


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("code", REJECTIONS)
def test_a_rejection_has_a_reason_in_the_language_of_the_reader(api: ContractClient, code: str, language: str) -> None:
    body = api.status(rejected(code), Accept_Language=language).json()
    assert (body["status"], body["failure"], body["rejection"]["code"]) == ("rejected", None, code)
    assert any("가" <= letter <= "힣" for letter in body["rejection"]["detail"]) == (language == "ko")
    assert body["rejection"]["detail"] != reason_text("another code")


def test_a_rejection_says_which_models_it_is_by(api: ContractClient) -> None:
    rejection = api.status(rejected()).json()["rejection"]
    assert (rejection["bundle"], rejection["demo"]) == (BUNDLE, True)


def test_expiry_says_why(api: ContractClient) -> None:
    assert api.status(IN_STATUS["expired"]()).json()["failure"]["code"] == "waited_too_long"


# The line


def test_the_position_counts_those_that_came_before(api: ContractClient) -> None:
    line = [queued() for _ in range(3)]
    assert [api.status(analysis).json()["position"] for analysis in line] == [1, 2, 3]
    claimed(line[0])
    assert [api.status(analysis).json()["position"] for analysis in line] == [None, 1, 2]
    analysis_cancel(line[1].id)
    assert api.status(line[2]).json()["position"] == 1


def test_the_time_left_counts_those_before_and_the_workers_that_are_there(api: ContractClient, worker: Worker) -> None:
    running()
    line = [queued() for _ in range(3)]
    assert api.status(line[2]).json()["eta_seconds"] is None
    worker("model@one", seconds=10.0)
    assert [api.status(analysis).json()["eta_seconds"] for analysis in line] == [20, 30, 40]
    worker("model@two", seconds=10.0)
    assert [api.status(analysis).json()["eta_seconds"] for analysis in line] == [10, 15, 20]


def test_a_worker_that_has_not_worked_yet_gives_no_estimate(api: ContractClient, worker: Worker) -> None:
    worker(seconds=None)
    assert api.status(queued()).json()["eta_seconds"] is None


# Headers


@pytest.mark.parametrize("status", IN_STATUS)
def test_it_says_when_to_ask_again_only_until_it_ends(api: ContractClient, status: str) -> None:
    answer = api.status(IN_STATUS[status]())
    assert ("Retry-After" in answer) == (status in WAITING)
    if status in WAITING:
        assert 1 <= int(answer["Retry-After"]) <= 10


@pytest.mark.parametrize("status", IN_STATUS)
def test_an_answer_that_is_known_is_not_sent_again(api: ContractClient, status: str) -> None:
    analysis = IN_STATUS[status]()
    first = api.status(analysis)
    again = api.status(analysis, If_None_Match=first["ETag"])
    assert again.status_code == 304
    assert again.content == b""
    assert again["ETag"] == first["ETag"]
    assert ("Retry-After" in again) == (status in WAITING)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("{etag}", 304),
        ("W/{etag}", 304),
        ('"other", {etag}', 304),
        ('W/"other" ,W/{etag}', 304),
        ("*", 304),
        (" * ", 304),
        ('"other"', 200),
        ('"other", "*"', 200),
        ("", 200),
        (",,,", 200),
        ("no quotes", 200),
        ('"unclosed', 200),
        ("ü", 200),
        ('"' + "x" * 50_000 + '"', 200),
    ],
)
def test_if_none_match_is_read_as_http_has_it(api: ContractClient, given: str, status: int) -> None:
    analysis = queued()
    etag = api.status(analysis)["ETag"]
    assert api.status(analysis, If_None_Match=given.format(etag=etag)).status_code == status


def test_every_step_has_an_etag_of_its_own(api: ContractClient) -> None:
    before, analysis = queued(), queued()
    etags = [api.status(analysis)["ETag"]]

    def note(*_: object) -> None:
        etags.append(api.status(analysis)["ETag"])

    note(analysis_cancel(before.id))
    claim = claimed(analysis)
    note()
    for done in range(1, 7):
        note(claim_progress(claim, models_done=done))
    note(analysis_succeed(claim, findings(), bundle=BUNDLE, demo=True))
    etags.append(api.status(analysis, Accept_Language="ko")["ETag"])
    assert len(set(etags)) == len(etags)


@pytest.mark.parametrize("status", IN_STATUS)
def test_head_is_get_without_a_body(api: ContractClient, status: str) -> None:
    analysis = IN_STATUS[status]()
    head, get = api.head(address(analysis)), api.status(analysis)
    assert (head.status_code, head.content) == (200, b"")
    assert (head["ETag"], head["Cache-Control"]) == (get["ETag"], get["Cache-Control"])


def test_it_is_nobody_elses_and_its_address_goes_nowhere(api: ContractClient) -> None:
    answer = api.status(succeeded())
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "Accept-Language" in answer["Vary"]
    assert not answer.cookies


# Not there


@pytest.mark.parametrize("page", ["/api/v1/analyses/{}/", "/analyses/{}/"])
def test_an_analysis_erased_between_two_reads_of_one_answer_is_410(
    api: ContractClient, plain_static: None, page: str
) -> None:
    analysis = succeeded()
    erased = False

    def erase(execute: Any, sql: str, *told: Any) -> Any:
        nonlocal erased
        found = execute(sql, *told)
        if not erased:
            erased = True
            analysis_erase(analysis.id)
        return found

    with connection.execute_wrapper(erase):
        assert api.get(page.format(analysis.id)).status_code == 410


def test_an_id_that_was_never_there_is_404(api: ContractClient) -> None:
    answer = api.get(address(uuid.uuid4()))
    assert (answer.status_code, answer.json()["code"]) == (404, "analysis_unknown")


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/analyses/1/",
        "/api/v1/analyses/00000000-0000-0000-0000-00000000000g/",
        "/api/v1/analyses/00000000000000000000000000000000/",
        "/api/v1/analyses/%00/",
        "/api/v1/analyses/한글/",
        "/api/v1/analyses/../queue/",
        "/api/v1/nowhere/",
        "/api/v2/analyses/",
    ],
)
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_address_that_is_none_is_404(api: ContractClient, address: str, method: str) -> None:
    answer = getattr(api, method)(address)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("method", ["post", "put", "patch", "trace"])
def test_other_methods_are_not_allowed(api: ContractClient, method: str) -> None:
    answer = getattr(api, method)(address(queued()))
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, DELETE, HEAD, OPTIONS"


def test_what_stands_is_what_the_row_says_after_all_that_asking(api: ContractClient) -> None:
    analysis = queued()
    for method in (api.get, api.head, api.options, api.put):
        method(address(analysis))
    assert fresh(analysis).status == "queued"


def test_an_address_without_its_slash_is_sent_on_without_a_trace(api: ContractClient) -> None:
    """Caches keep a permanent redirect for good, and this one holds the id."""
    sent_on = api.get(address(queued()).rstrip("/"))
    assert sent_on.status_code == 308
    assert sent_on["Cache-Control"] == "private, no-store"
    assert sent_on["Referrer-Policy"] == "no-referrer"
