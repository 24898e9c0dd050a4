"""Connections of the pool that the server has ended meanwhile are not handed out."""

from __future__ import annotations

import psycopg
import pytest
from django.db import OperationalError, connection

from backend.analyses.selectors.status import analysis_status
from tests.support.analyses import queued
from tests.support.environment import POSTGRESQL

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not POSTGRESQL, reason="SQLite has no server that could end a session"),
]


def end_session() -> int:
    """Give this thread's connection back to the pool and have the server end its session; the session's number."""
    connection.ensure_connection()
    pool, session = connection.pool, connection.connection.info.backend_pid
    connection.close()
    with psycopg.connect(**{**pool.kwargs, "autocommit": True}) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [session])
    return int(session)


def test_who_asks_after_the_server_ended_the_session_gets_another_one() -> None:
    ended = end_session()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone()[0] != ended


def test_a_session_that_ends_in_use_fails_one_poll_and_not_the_next() -> None:
    analysis = queued().pk
    assert analysis_status(analysis).position == 1
    with psycopg.connect(**{**connection.pool.kwargs, "autocommit": True}) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])
    with pytest.raises(OperationalError):
        analysis_status(analysis)
    connection.close()
    assert analysis_status(analysis).position == 1


def test_a_poll_is_planned_once_for_each_connection() -> None:
    analysis = queued().pk
    for _ in range(3):
        analysis_status(analysis)
    with connection.cursor() as cursor:
        cursor.execute("SELECT generic_plans + custom_plans FROM pg_prepared_statements")
        assert sum(plans for (plans,) in cursor.fetchall()) >= 3
