"""Django's PostgreSQL backend with two optimizations for queries as small and frequent as polls.

Django's pool checks a connection with an empty query before each use, which costs a round trip. But a server that ends
a session sends a message and closes the socket, so an idle connection with something to read is broken
(https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-ASYNC). Neither way notices a host that has
vanished before `tcp_user_timeout`.

Django also has the server plan each query again, because some poolers do not support prepared statements; planning a
poll takes the server longer than running it. PgBouncer supports them with `max_prepared_statements`.
"""

from __future__ import annotations

import select
from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection with nothing to read, so that the server has not ended it."""
        connection = super().get_new_connection(conn_params)
        while self.pool and _is_readable(connection.fileno()):
            connection.close()
            self.pool.putconn(connection)  # It discards closed connections and opens new ones.
            connection = super().get_new_connection(conn_params)
        return connection

    def prepared_cursor(self) -> CursorWrapper:
        """A cursor whose queries the server plans once per connection."""
        self.ensure_connection()
        with self.wrap_database_errors:
            # With `prepare_threshold` 0 it prepares server-side bound queries at once, which only this cursor sends.
            cursor: Any = base.ServerBindingCursor(self.connection)  # type: ignore[call-arg] # an error in the stubs
            return self._prepare_cursor(cursor)  # type: ignore[attr-defined] # as `cursor` does


def _is_readable(socket: int) -> bool:
    """Whether there is something to read, including the end of the stream."""
    poll = select.poll()  # select(2) does not support descriptors above 1023.
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))
