"""/metrics"""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from backend.analyses.collectors import analyses
from backend.analyses.errors import QueueFull
from backend.operations.health import REASONS, WARNINGS
from backend.operations.services import record_run
from ml.labels import SYMPTOMS
from tests.api.conftest import Worker
from tests.support.analyses import BUNDLE, GRADES, IN_STATUS, canceled, failed, queued, rejected, succeeded

pytestmark = [pytest.mark.database, pytest.mark.django_db]

Samples = dict[tuple[str, str], float]


def scraped(client: Client) -> Samples:
    """Every sample by its name and the value of its label."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    return {
        (sample.name, "".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_nothing_going_on_is_told_in_zeros(client: Client) -> None:
    told = scraped(client)
    assert {status for name, status in told if name == "scalp_analyses"} == set(IN_STATUS)
    assert {told[name, ""] for name in ("scalp_ready", "scalp_workers", "scalp_queue_oldest_seconds")} == {0.0}
    assert {value for (name, _label), value in told.items() if name == "scalp_analyses"} == {0.0}


def test_each_rejection_has_a_series_before_there_is_any(client: Client) -> None:
    told = scraped(client)
    codes = {label.removesuffix("rejected") for name, label in told if name == "scalp_analyses_ended_total"}
    assert codes >= {"not_a_scalp", "too_far", "too_dark", "too_bright", "too_blurred"}


def test_each_status_is_counted(client: Client) -> None:
    for make in IN_STATUS.values():
        make()
    queued()
    told = scraped(client)
    assert {status: told["scalp_analyses", status] for status in IN_STATUS} == dict.fromkeys(IN_STATUS, 1) | {
        "queued": 2
    }
    assert 0 < told["scalp_queue_oldest_seconds", ""] < 600


@pytest.mark.usefixtures("upkeep")
def test_workers_and_their_pace_are_told(client: Client, worker: Worker) -> None:
    worker("model@one", seconds=1.0)
    worker("model@two", seconds=2.0)
    told = scraped(client)
    assert told["scalp_ready", ""] == 1
    assert told["scalp_workers", ""] == 2
    assert told["scalp_models_resident", ""] == 7
    assert told["scalp_photo_seconds", ""] == 1.5
    assert told["scalp_workers_by_bundle", BUNDLE] == 2


def test_each_reason_and_warning_has_a_series_that_says_whether_it_holds(client: Client, worker: Worker) -> None:
    worker()
    told = {code: value for (name, code), value in scraped(client).items() if name == "scalp_readiness_problem"}
    assert told == dict.fromkeys((*REASONS, *WARNINGS), 0) | {"upkeep_stale": 1, "reaper_stale": 1}


@pytest.mark.usefixtures("upkeep")
def test_rounds_of_upkeep_are_told_with_all_that_they_found(client: Client) -> None:
    record_run("reap", seconds=0.5, counts={"requeued": 1, "failed": 0, "resent": 4})
    record_run("purge", seconds=1.5, counts={"photos": 5})
    told = scraped(client)
    found = {kind: told["scalp_upkeep_items_total", f"{kind}reap"] for kind in ("requeued", "failed", "resent")}
    assert found == {"requeued": 3, "failed": 1, "resent": 7}
    assert told["scalp_upkeep_items_total", "photospurge"] == 5
    assert (told["scalp_upkeep_runs_total", "reap"], told["scalp_upkeep_runs_total", "purge"]) == (2, 1)
    assert told["scalp_upkeep_last_run_duration_seconds", "reap"] == 0.5
    assert 0 <= told["scalp_upkeep_last_run_age_seconds", "reap"] < 60


@pytest.mark.usefixtures("plain_static")
def test_requests_are_counted_by_route_and_never_by_address(client: Client) -> None:
    before = scraped(client)
    for _ in range(3):
        client.get(f"/analyses/{uuid.uuid4()}/")
    client.get("/no/such/page")
    client.get("/admin/auth/user/")
    client.generic("FROB", "/healthz")
    told = scraped(client)
    grown = {key: value - before.get(key, 0) for key, value in told.items() if key[0] == "scalp_http_requests_total"}
    assert {labels: n for (_name, labels), n in grown.items() if n} == {
        "GET/metrics200": 1,
        "GET/analyses/<uuid:analysis_id>/404": 3,
        "GETunresolved404": 1,
        "GET/admin/302": 1,
        "other/healthz405": 1,
    }


def test_what_is_refused_or_accepted_is_counted(client: Client, settings: Any) -> None:
    names = ("scalp_analyses_submitted_total", "scalp_queue_full_total")
    before = scraped(client)
    queued()
    settings.QUEUE_LIMIT = 1
    with pytest.raises(QueueFull):
        queued()
    told = scraped(client)
    assert [told[name, ""] - before[name, ""] for name in names] == [1, 1]


@pytest.mark.django_db(transaction=True)  # Counted on commit.
def test_each_outcome_is_counted_by_reason_and_each_finding_by_grade(client: Client) -> None:
    before = scraped(client)
    succeeded()
    rejected("too_dark")
    failed("out_of_memory")
    canceled()
    told = scraped(client)
    grown = {key: value - before.get(key, 0) for key, value in told.items()}
    ended = {labels: n for (name, labels), n in grown.items() if name == "scalp_analyses_ended_total" and n}
    assert ended == {"succeeded": 1, "too_darkrejected": 1, "out_of_memoryfailed": 1, "canceled": 1}
    found = {labels: n for (name, labels), n in grown.items() if name == "scalp_findings_total" and n}
    assert found == {f"{grade}{symptom.key}": 1 for symptom, grade in zip(SYMPTOMS, GRADES, strict=True)}
    assert grown["scalp_queue_wait_seconds_count", ""] == 3
    assert grown["scalp_end_to_end_seconds_count", ""] == 3


def test_rows_are_counted_anew_only_after_fifty_times_what_it_took(
    client: Client, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.analyses.collectors.MIN_AGE_FACTOR", 1e9)
    assert scraped(client)["scalp_analyses", "queued"] == 0
    queued()
    assert scraped(client)["scalp_analyses", "queued"] == 0
    analyses.forget()
    assert scraped(client)["scalp_analyses", "queued"] == 1


def test_no_person_is_in_it(client: Client) -> None:
    analysis = queued()
    text = client.get("/metrics").text
    assert str(analysis.id) not in text
    assert analysis.id.hex not in text
