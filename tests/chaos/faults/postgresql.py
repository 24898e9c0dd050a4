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
from tests.chaos.load import Load
from tests.chaos.supervised_stack import SupervisedStack
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
def postgresql_restarted(stack: SupervisedStack, load: Load) -> Iterator[None]:
    stack.kill("database", signal.SIGINT, stay_down=True)
    time.sleep(stack.seconds(short=3, long=20))
    stack.start("database")
    yield
    stack.sweep_orphans()  # Of an upload whose commit could not be confirmed.


@fault("All connections to PostgreSQL are cut, again and again.", database="postgresql")
def postgresql_connections_cut(stack: SupervisedStack, load: Load) -> Iterator[None]:
    for _ in range(stack.seconds(short=4, long=12)):
        stack.query(CUT)
        time.sleep(0.5)
    yield
    stack.sweep_orphans()


@fault(
    "Foreign locks cross those of a success, and PostgreSQL ends the deadlock at our expense.", database="postgresql"
)
def postgresql_deadlock(stack: SupervisedStack, load: Load) -> Iterator[None]:
    wanted = said(stack, "deadlock detected") + stack.seconds(short=1, long=5)
    while said(stack, "deadlock detected") < wanted:
        cross(stack)
    yield


def cross(stack: SupervisedStack) -> None:
    """Lock against a success: it has its analysis and waits for the table that we have, and we wait for its analysis.

    If another session has a lock on the analysis, we get it later and nothing happens.
    """
    found: list[Any] = []
    with stack.session() as session:
        session.execute("SET deadlock_timeout = '1min'")  # The session that checks first is ended: the service's.
        session.execute("SET lock_timeout = '5s'")  # It checks once: if that was before our UPDATE, no session will.
        session.execute("LOCK TABLE human IN SHARE ROW EXCLUSIVE MODE")
        until(lambda: found or found.extend(stack.query(CROSSABLE)), 30, "a success that waits for a lock")
        with suppress(psycopg.errors.LockNotAvailable):
            session.execute("UPDATE analyses_analysis SET worker = worker WHERE id = %s", [UUID(str(found[0][0]))])
        session.rollback()


@fault("PostgreSQL's disk is full for a while.", database="postgresql")
def postgresql_disk_full(stack: SupervisedStack, load: Load) -> Iterator[None]:
    assert stack.server
    before = said(stack, "No space left on device")
    with stack.full_disk(stack.server.folder.parent):
        time.sleep(stack.seconds(short=4, long=20))
    yield
    stack.sweep_orphans()
    assert said(stack, "No space left on device") > before, "the server never noticed that its disk was full"


def said(stack: SupervisedStack, words: str) -> int:
    """How often the server's log has these words."""
    return stack.log("database").read_text(errors="replace").count(words)
