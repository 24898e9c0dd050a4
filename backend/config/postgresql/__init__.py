"""Django's PostgreSQL backend with cheaper connections and prepared statements (`base`)."""

from __future__ import annotations

from django.db import connection
from django.db.backends.utils import CursorWrapper


def prepared_cursor() -> CursorWrapper:
    """A cursor whose statements the database plans once per connection, for queries that are run at every poll.

    SQLite's driver does this for every statement.
    """
    cursor: CursorWrapper = getattr(connection, "prepared_cursor", connection.cursor)()
    return cursor
