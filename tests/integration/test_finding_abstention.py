"""Findings from before it was kept why a sign is not rated."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import StateApps

from backend.analyses.models import Finding
from tests.support.analyses import succeeded

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]

BEFORE, AFTER = ("analyses", "0006_traceparent"), ("analyses", "0007_finding_abstention")


def migrated(to: tuple[str, str]) -> StateApps:
    executor = MigrationExecutor(connection)
    executor.migrate([to])
    return executor.loader.project_state([to]).apps


@pytest.fixture
def before() -> Iterator[StateApps]:
    """The tables as they were; afterwards they are as they are now."""
    succeeded((0, 2, 0, 0, 1, 0))
    yield migrated(BEFORE)
    (now,) = MigrationExecutor(connection).loader.graph.leaf_nodes("analyses")
    migrated(now)


def test_findings_that_abstained_before_were_unsure_all_others_rated(before: StateApps) -> None:
    before.get_model("analyses", "Finding").objects.filter(symptom="dandruff").update(abstains=True)
    migrated(AFTER)
    assert {found.symptom: found.abstention for found in Finding.objects.exclude(abstention="")} == {
        "dandruff": "unsure"
    }
    assert Finding.objects.count() == 6


def test_a_worker_of_the_version_before_can_still_write_findings() -> None:
    analysis = succeeded()
    columns = (
        "analysis_id, symptom, grade, probability_0, probability_1, probability_2, probability_3, confidence, abstains"
    )
    Finding.objects.filter(symptom="dandruff").delete()
    key = analysis.id if connection.vendor == "postgresql" else analysis.id.hex
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO analyses_finding ({columns}) VALUES (%s, 'dandruff', 1, 0, 1, 0, 0, 1, %s)",
            [key, True],
        )
    assert Finding.objects.get(symptom="dandruff").withheld == "unsure"
