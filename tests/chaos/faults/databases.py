"""Faults of the database: SQLite's one lock."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

from tests.chaos.faults import fault
from tests.chaos.house import House
from tests.chaos.load import Load


@fault("Another process holds SQLite's write lock, for longer than a lease.", database="sqlite")
def sqlite_locked(house: House, load: Load) -> Iterator[None]:
    with closing(sqlite3.connect(house.var / "db.sqlite3", timeout=30, isolation_level=None)) as file:
        file.execute("BEGIN IMMEDIATE")
        time.sleep(house.seconds(short=8, long=30))
        file.execute("ROLLBACK")
    yield
