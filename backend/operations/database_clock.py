"""The database's clock, the one clock that all processes share.

Clocks of hosts differ by seconds without NTP, and by hours after one was set. So leases, enqueue times, heartbeats and
upkeep runs use `Now()` of the database, never the clock of the writing host. Retention, shares and throttles use the
hosts' clocks: seconds do not matter there.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import connection

_SQL = {
    "postgresql": "SELECT STATEMENT_TIMESTAMP()",
    "sqlite": "SELECT STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')",  # As Django writes `Now()`.
}

#: An expression for other SQL; the seconds are its parameter.
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
    """SQL for a time in the past by the database's clock; the number of seconds is its one parameter."""
    return _AGO_SQL[connection.vendor]
