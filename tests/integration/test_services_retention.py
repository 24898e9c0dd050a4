"""Forget: photos past retention, analyses that waited too long, files without a row."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from backend.analyses.models import Finding, Human
from backend.analyses.services.attempt import analysis_fail
from backend.analyses.services.control import analysis_erase
from backend.analyses.services.retention import ORPHAN_AGE, Purged, photos_purge, write_ahead_log_wipe
from tests.support.analyses import IN_STATUS, claimed, fresh, past_retention, queued, succeeded
from tests.support.threads import at_once

pytestmark = [pytest.mark.database, pytest.mark.django_db, pytest.mark.usefixtures("broker")]


def aged(file: Path, seconds: float) -> Path:
    """The file as if it had been written so long ago."""
    then = time.time() - seconds
    os.utime(file, (then, then))
    return file


@pytest.mark.parametrize("status", ["succeeded", "rejected", "failed", "canceled"])
def test_a_photo_past_retention_is_deleted_and_its_result_stays(storage: Path, status: str) -> None:
    due, kept = IN_STATUS[status](), IN_STATUS[status]()
    past_retention(due)
    assert photos_purge() == Purged(expired=0, photos=1, orphans=0)
    assert (fresh(due).status, fresh(due).photo) == (status, "")
    assert fresh(kept).photo == kept.photo
    assert [path.name for path in storage.iterdir()] == [kept.photo]
    assert photos_purge() == Purged(expired=0, photos=0, orphans=0)


def test_the_maps_of_a_photo_go_with_it_and_those_of_others_stay() -> None:
    due, kept = succeeded(), succeeded()
    Finding.objects.update(map=bytes(256))
    past_retention(due)
    photos_purge()
    assert not due.findings.exclude(map=None).exists()
    assert kept.findings.exclude(map=None).count() == 6


def test_the_human_stays_for_the_statistics() -> None:
    past_retention(succeeded())
    photos_purge()
    assert Human.objects.count() == 1


def test_one_that_runs_keeps_its_photo_until_its_end(storage: Path) -> None:
    analysis = queued()
    claim = claimed(analysis)
    past_retention(analysis)
    assert photos_purge() == Purged(expired=0, photos=0, orphans=0)
    assert (storage / analysis.photo).exists()
    assert analysis_fail(claim, "model_error")
    assert photos_purge() == Purged(expired=0, photos=1, orphans=0)
    assert not any(storage.iterdir())


def test_one_that_waited_past_retention_expires_with_a_reason(storage: Path) -> None:
    late, waiting = queued(), queued()
    past_retention(late)
    assert photos_purge() == Purged(expired=1, photos=1, orphans=0)
    row = fresh(late)
    assert (row.status, row.code, row.photo) == ("expired", "waited_too_long", "")
    assert row.finished_at is not None
    assert fresh(waiting).status == "queued"
    assert [path.name for path in storage.iterdir()] == [waiting.photo]


def test_files_without_a_row_are_swept_once_they_are_old(storage: Path) -> None:
    kept = queued()
    aged(storage / kept.photo, 10 * ORPHAN_AGE.total_seconds())
    old, young = storage / "old.jpg", storage / "young.jpg"
    for file in (old, young):
        file.write_bytes(b"left behind")
    aged(old, ORPHAN_AGE.total_seconds() + 60)
    assert photos_purge() == Purged(expired=0, photos=0, orphans=1)
    assert {path.name for path in storage.iterdir()} == {kept.photo, "young.jpg"}


def test_a_photo_that_is_gone_already_is_no_error(storage: Path) -> None:
    analysis = succeeded()
    (storage / analysis.photo).unlink()
    past_retention(analysis)
    assert photos_purge().photos == 1
    assert fresh(analysis).photo == ""


def test_without_any_photo_ever_there_is_nothing_to_do(storage: Path) -> None:
    assert not storage.exists()
    assert photos_purge() == Purged(expired=0, photos=0, orphans=0)


@pytest.mark.django_db(transaction=True)
def test_of_many_purges_at_the_same_moment_one_deletes_it(storage: Path) -> None:
    analysis = succeeded()
    past_retention(analysis)
    rounds = at_once(photos_purge, times=4)
    assert sum(purged.photos for purged in rounds) == 1
    assert not any(storage.iterdir())


@pytest.mark.django_db(transaction=True)
def test_of_what_was_erased_sqlite_s_files_hold_nothing_but_the_tombstone(storage: Path) -> None:
    if connection.vendor != "sqlite":
        assert write_ahead_log_wipe()
        return
    erased, kept = succeeded(), succeeded(age="20s")
    Finding.objects.filter(analysis=erased).update(map=b"where somebody's scalp was seen")
    analysis_erase(erased.pk)
    assert write_ahead_log_wipe()
    database = Path(connection.settings_dict["NAME"])
    raw = b"".join(path.read_bytes() for path in database.parent.glob(f"{database.name}*"))
    assert kept.fingerprint.encode() in raw
    assert erased.pk.hex.encode() in raw
    for trace in (erased.fingerprint, erased.photo, "where somebody's scalp was seen"):
        assert trace.encode() not in raw


@pytest.mark.django_db(transaction=True)
def test_a_reader_is_not_waited_for_and_the_next_round_wipes() -> None:
    if connection.vendor != "sqlite":
        return
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM human").fetchone()
        succeeded()
        begun = time.monotonic()
        assert not write_ahead_log_wipe()
        assert time.monotonic() - begun < 5
    assert write_ahead_log_wipe()
