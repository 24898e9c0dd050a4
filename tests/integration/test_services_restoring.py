"""After a backup was loaded: nothing that ended since comes back, and what can't be finished says so."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from backend.analyses.management.commands.restore import erased_in
from backend.analyses.models import Analysis, Erasure, Finding, Human, Share
from backend.analyses.services.restoring import Restored, analyses_reconcile
from backend.analyses.services.sharing import share_create
from backend.operations.models import Worker
from backend.operations.services import register_worker
from tests.support.analyses import fresh, queued, running, succeeded

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("broker")]


def test_what_was_erased_since_is_erased_again_photo_and_all(storage: Path) -> None:
    gone, kept, never_in_the_backup = succeeded(), succeeded(), uuid.uuid4()
    assert analyses_reconcile({gone.id, never_in_the_backup}).erased == 1
    assert list(Analysis.objects.values_list("id", flat=True)) == [kept.id]
    assert Human.objects.count() == 1
    assert [path.name for path in storage.iterdir()] == [kept.photo]
    assert set(Erasure.objects.values_list("id", flat=True)) == {gone.id, never_in_the_backup}


def test_links_logins_and_workers_of_another_time_are_gone(storage: Path, admin_client: Client) -> None:
    share_create(succeeded().id)
    register_worker("model@then", role="model")
    assert Session.objects.exists()
    analyses_reconcile(())
    for model in (Share, Session, Worker):
        assert not model.objects.exists()
    assert admin_client.get("/admin/").status_code == 302


def test_what_ran_waits_again_and_lost_no_attempt(storage: Path) -> None:
    analysis = running()
    assert analyses_reconcile(()) == Restored(erased=0, waiting=1, failed=0, photos_missing=0)
    row = fresh(analysis)
    assert (row.status, row.worker, row.notified_at, row.attempt - row.attempts_before) == ("queued", "", None, 0)


def test_what_waits_for_a_photo_that_is_not_there_says_so(storage: Path) -> None:
    waiting, ran, reported = queued(), running(), succeeded()
    Finding.objects.update(map=bytes(256))
    for path in storage.iterdir():
        path.unlink()
    assert analyses_reconcile(()) == Restored(erased=0, waiting=0, failed=2, photos_missing=3)
    for analysis in (waiting, ran):
        row = fresh(analysis)
        assert (row.status, row.code, row.photo) == ("failed", "photo_unreadable", "")
    assert (fresh(reported).status, fresh(reported).photo) == ("succeeded", "")
    assert not Finding.objects.exclude(map=None).exists()


def test_erasures_are_read_from_a_list_and_from_logs(tmp_path: Path) -> None:
    listed, logged, other = (uuid.uuid4() for _ in range(3))
    file = tmp_path / "lines"
    file.write_text(
        f"{listed}\n"
        f'web-1  | {{"analysis": "{logged}", "event": "analysis_erased", "level": "info"}}\n'
        f'{{"analysis": "{other}", "event": "analysis_submitted"}}\n'
        f'{{"analysis": "{other}", "event": "said \\"analysis_erased\\""}}\n'
        '{"analysis": "", "event": "analysis_erased"}\nnonsense "analysis_erased"\n\n'
    )
    assert erased_in(file) == {listed, logged}
