"""The one clock that all processes share: the database's.

Hosts disagree about the time, by seconds for want of NTP and by hours after a clock was set. What the service lives by
is therefore timed by `Now()` of the database and never by the writer's own clock: a lease, a bell, a heartbeat, a round
of upkeep. Retention, shares and throttles go by the hosts' clocks, for which seconds are nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import connection

_SQL = {
    "postgresql": "SELECT STATEMENT_TIMESTAMP()",
    "sqlite": "SELECT STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')",  # As Django writes `Now()`.
}

#: As a part of other SQL; the seconds are its parameter.
_AGO_SQL = {
    "postgresql": "(STATEMENT_TIMESTAMP() - %s * INTERVAL '1 second')",
    "sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW', -%s || ' seconds')",
}


def database_now() -> datetime:
    """The time by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL[connection.vendor])
        (now,) = cursor.fetchone()
    return now if isinstance(now, datetime) else datetime.fromisoformat(now).replace(tzinfo=UTC)


def ago_sql() -> str:
    """SQL for the time by the database's clock so many seconds ago, which are its one parameter."""
    return _AGO_SQL[connection.vendor]
