"""Two fields have new names and their former columns, for workers and clients that know only those."""

from __future__ import annotations

import pytest
from django.db import connection
from django.utils import timezone

from backend.analyses.models import Analysis
from tests.api.contract import ContractClient, address
from tests.support.analyses import queued

pytestmark = [pytest.mark.database, pytest.mark.django_db, pytest.mark.usefixtures("storage")]

WRITTEN_BY_THE_VERSION_BEFORE = "UPDATE analyses_analysis SET rung_at = %s, tries_from = 2, attempt = 3"


def test_what_a_worker_of_the_version_before_writes_is_read() -> None:
    analysis, now = queued(), timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN_BY_THE_VERSION_BEFORE, [now])
    row = Analysis.objects.get(pk=analysis.pk)
    assert (row.notified_at, row.attempts_before, row.attempt) == (now, 2, 3)


def test_the_export_keeps_the_names_of_the_columns() -> None:
    analysis, now = queued(), timezone.now()
    Analysis.objects.filter(pk=analysis.pk).update(notified_at=now, attempts_before=2)
    stored = ContractClient().get(address(analysis, "export")).json()["analysis"]
    assert (stored["rung_at"][:19], stored["tries_from"]) == (now.isoformat()[:19], 2)
    assert not {"notified_at", "attempts_before"} & stored.keys()
