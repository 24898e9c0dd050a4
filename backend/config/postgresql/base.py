"""PostgreSQL as Django speaks to it, with two savings for queries that are as small and as many as polls.

Django has the pool ask the server an empty question before each use, which costs a round trip. But a server that ends a
session says so and closes it, and both lie there to be read, where on a connection that nobody uses there is nothing
else to come (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-ASYNC). Of a host that vanished
without a word neither way learns before `tcp_user_timeout`.

And Django has the server plan each query anew, since there are poolers that don't know prepared statements; planning a
poll takes the server longer than answering it. PgBouncer knows them where its `max_prepared_statements` says so.
"""

from __future__ import annotations

import select
from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection on which the server has said nothing since it was last used."""
        connection = super().get_new_connection(conn_params)
        while self.pool and _is_readable(connection.fileno()):
            connection.close()
            self.pool.putconn(connection)  # It drops what is closed and connects anew.
            connection = super().get_new_connection(conn_params)
        return connection

    def prepared_cursor(self) -> CursorWrapper:
        """A cursor whose queries the server plans once a connection."""
        self.ensure_connection()
        with self.wrap_database_errors:
            # `prepare_threshold` 0 has it prepare at once what is bound by the server, as by this cursor alone.
            cursor: Any = base.ServerBindingCursor(self.connection)  # type: ignore[call-arg] # the stubs' own error
            return self._prepare_cursor(cursor)  # type: ignore[attr-defined] # as `cursor` does


def _is_readable(socket: int) -> bool:
    """Whether there is something to read now, be it the end."""
    poll = select.poll()  # select(2) knows no descriptor beyond 1023.
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))
