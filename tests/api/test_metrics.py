"""/metrics"""

from __future__ import annotations

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from tests.analyses import IN_STATUS, queued
from tests.api.conftest import Worker

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
    assert set(told.values()) == {0.0}


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


def test_no_person_is_in_it(client: Client) -> None:
    analysis = queued()
    text = client.get("/metrics").text
    assert str(analysis.id) not in text
    assert analysis.id.hex not in text
