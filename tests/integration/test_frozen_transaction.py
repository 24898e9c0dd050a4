"""A process that stands still in the middle of a transaction must not hold up the others forever."""

from __future__ import annotations

import threading

import pytest
from django.db import Error, connection, transaction

from backend.analyses.models import Analysis
from tests.support.analyses import queued
from tests.support.environment import POSTGRESQL

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not POSTGRESQL, reason="SQLite has no server that could end the session"),
]


def test_postgresql_ends_an_idle_transaction_so_that_others_can_write() -> None:
    analysis = queued()
    locked, others_wrote = threading.Event(), threading.Event()
    late: list[Exception] = []

    def stand_still() -> None:
        try:
            with transaction.atomic():
                Analysis.objects.filter(pk=analysis.pk).update(worker="frozen")
                locked.set()
                others_wrote.wait(30)
                Analysis.objects.filter(pk=analysis.pk).update(worker="late")
        except Error as error:
            late.append(error)
        finally:
            connection.close()

    frozen = threading.Thread(target=stand_still)
    frozen.start()
    assert locked.wait(10)
    assert Analysis.objects.filter(pk=analysis.pk).update(worker="other") == 1
    others_wrote.set()
    frozen.join(30)
    assert late
    assert Analysis.objects.get(pk=analysis.pk).worker == "other"
