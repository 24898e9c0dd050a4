"""A query that is asked so often that it pays to keep its plan."""

from __future__ import annotations

from django.db import connection
from django.db.backends.utils import CursorWrapper


def prepared_cursor() -> CursorWrapper:
    """A cursor of which the database plans each text once a connection.

    SQLite's driver does that with any; Django's for PostgreSQL does not (`backend.config.postgresql`).
    """
    cursor: CursorWrapper = getattr(connection, "prepared_cursor", connection.cursor)()
    return cursor
