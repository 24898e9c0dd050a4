"""Faults of PostgreSQL: its server, its connections, its locks and its disk."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import psycopg

from tests.chaos.faults import fault
from tests.chaos.house import House
from tests.chaos.load import Load
from tests.support.environment import until

CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
#: Analyses that a session holds while a session waits for the table of statistics: the last step of a success.
CROSSABLE = """
SELECT id FROM analyses_analysis WHERE status = 'running'
AND id NOT IN (SELECT id FROM analyses_analysis WHERE status = 'running' FOR UPDATE SKIP LOCKED)
AND EXISTS (SELECT 1 FROM pg_locks WHERE relation = 'human'::regclass AND NOT granted)
"""


@fault("PostgreSQL is restarted: it ends all sessions, and is away for a while.", database="postgresql")
def postgresql_restarted(house: House, load: Load) -> Iterator[None]:
    house.kill("database", signal.SIGINT, stay_down=True)
    time.sleep(house.seconds(short=3, long=20))
    house.start("database")
    yield
    house.sweep_orphans()  # Of an upload whose commit could not be confirmed.


@fault("All connections to PostgreSQL are cut, again and again.", database="postgresql")
def postgresql_connections_cut(house: House, load: Load) -> Iterator[None]:
    for _ in range(house.seconds(short=4, long=12)):
        house.query(CUT)
        time.sleep(0.5)
    yield
    house.sweep_orphans()


@fault(
    "Foreign locks cross those of a success, and PostgreSQL ends the deadlock at our expense.", database="postgresql"
)
def postgresql_deadlock(house: House, load: Load) -> Iterator[None]:
    wanted = said(house, "deadlock detected") + house.seconds(short=1, long=5)
    while said(house, "deadlock detected") < wanted:
        cross(house)
    yield


def cross(house: House) -> None:
    """Lock against a success: it has its analysis and waits for the table that we have, and we wait for its analysis.

    If another session has a lock on the analysis, we get it later and nothing happens.
    """
    found: list[Any] = []
    with house.session() as session:
        session.execute("SET deadlock_timeout = '1min'")  # The session that checks first is ended: the service's.
        session.execute("SET lock_timeout = '5s'")  # It checks once: if that was before our UPDATE, no session will.
        session.execute("LOCK TABLE human IN SHARE ROW EXCLUSIVE MODE")
        until(lambda: found or found.extend(house.query(CROSSABLE)), 30, "a success that waits for a lock")
        with suppress(psycopg.errors.LockNotAvailable):
            session.execute("UPDATE analyses_analysis SET worker = worker WHERE id = %s", [UUID(str(found[0][0]))])
        session.rollback()


@fault("PostgreSQL's disk is full for a while.", database="postgresql")
def postgresql_disk_full(house: House, load: Load) -> Iterator[None]:
    assert house.server
    before = said(house, "No space left on device")
    with house.full_disk(house.server.folder.parent):
        time.sleep(house.seconds(short=4, long=20))
    yield
    house.sweep_orphans()
    assert said(house, "No space left on device") > before, "the server never noticed that its disk was full"


def said(house: House, words: str) -> int:
    """How often the server's log has these words."""
    return house.log("database").read_text(errors="replace").count(words)
