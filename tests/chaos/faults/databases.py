"""Faults of the database: SQLite's one lock."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

from tests.chaos.faults import fault
from tests.chaos.load import Load
from tests.chaos.supervised_stack import SupervisedStack


@fault("Another process holds SQLite's write lock, for longer than a lease.", database="sqlite")
def sqlite_locked(stack: SupervisedStack, load: Load) -> Iterator[None]:
    with closing(sqlite3.connect(stack.var / "db.sqlite3", timeout=30, isolation_level=None)) as file:
        file.execute("BEGIN IMMEDIATE")
        time.sleep(stack.seconds(short=8, long=30))
        file.execute("ROLLBACK")
    yield
