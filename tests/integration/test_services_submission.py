"""Receive a photo: failures of database and queue. The API's tests have the rest."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage
from django.db import DatabaseError, OperationalError, connection, connections

from backend.analyses.errors import StorageUnavailable
from backend.analyses.models import Analysis
from backend.analyses.services.submission import analysis_submit
from tests.support.analyses import ANSWERS, PHOTO, queued
from tests.support.threads import at_once

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("broker")]


def failing(statement: str) -> Any:
    """Lets the database fail at statements that start so."""

    def fail(execute: Any, sql: str, *told: Any) -> Any:
        if sql.startswith(statement):
            raise DatabaseError("the disk is full")
        return execute(sql, *told)

    return connection.execute_wrapper(fail)


def test_a_row_that_can_not_be_written_leaves_no_photo_behind(storage: Path) -> None:
    with failing('INSERT INTO "analyses_analysis"'), pytest.raises(DatabaseError):
        analysis_submit(ANSWERS, photo=PHOTO)
    assert not Analysis.objects.exists()
    assert not any(storage.iterdir())


def test_a_storage_failure_leaves_nothing_behind_and_sends_retry_after(
    storage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = FileSystemStorage.save

    def get_full(self: FileSystemStorage, name: str, content: File) -> str:
        written(self, name, ContentFile(content.read()[:100]))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(FileSystemStorage, "save", get_full)
    with pytest.raises(StorageUnavailable) as refusal:
        analysis_submit(ANSWERS, photo=PHOTO)
    assert (refusal.value.status, refusal.value.retry_after) == (503, 5)
    assert not Analysis.objects.exists()
    assert not any(storage.iterdir())


def test_a_connection_lost_after_the_commit_keeps_the_photo(storage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = type(connections["default"])
    commit = server._commit

    def commit_and_break(self: Any) -> None:
        commit(self)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(server, "_commit", commit_and_break)
    analysis = analysis_submit(ANSWERS, photo=PHOTO)
    monkeypatch.undo()
    assert Analysis.objects.get() == analysis
    assert [path.name for path in storage.iterdir()] == [analysis.photo]


def test_a_database_lost_before_the_commit_leaves_no_photo(storage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No further query checks whether the row is there."""

    def away(*_arguments: Any, **_options: Any) -> None:
        raise OperationalError("the server closed the connection unexpectedly")

    def go_away(**_values: Any) -> None:
        monkeypatch.setattr(Analysis.objects, "filter", away)
        away()

    monkeypatch.setattr(Analysis.objects, "create", go_away)
    with pytest.raises(OperationalError):
        analysis_submit(ANSWERS, photo=PHOTO)
    monkeypatch.undo()
    assert not Analysis.objects.exists()
    assert not any(storage.iterdir())


def test_an_enqueue_time_that_cannot_be_written_costs_no_photo(storage: Path) -> None:
    with failing('UPDATE "analyses_analysis"'):
        analysis = analysis_submit(ANSWERS, photo=PHOTO)
    assert Analysis.objects.get().notified_at is None
    assert [path.name for path in storage.iterdir()] == [analysis.photo]


def test_photos_sent_at_the_same_moment_are_all_kept(storage: Path, sent_messages: Callable[[], list[str]]) -> None:
    analyses = at_once(queued, times=8)
    assert len({analysis.id for analysis in analyses}) == Analysis.objects.count() == 8
    assert {path.name for path in storage.iterdir()} == {analysis.photo for analysis in analyses}
    assert sorted(sent_messages()) == sorted(str(analysis.id) for analysis in analyses)
