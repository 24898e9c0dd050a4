"""Dump and load the database, without photos, as one file; a dump does not interrupt the service.

SQLite: online backup (https://www.sqlite.org/backup.html). PostgreSQL: pg_dump and pg_restore, which have to be
installed on this machine.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from django.db import connection

POSTGRESQL_FOLDER = Path("/usr/lib/postgresql")  #: Debian's programs that are not on the PATH


class BackupFailed(Exception):
    """A dump or load that failed; the message is for the operator."""


def database_dump(file: Path) -> None:
    """Write a consistent dump of the database to `file`, readable by its owner only. Raises BackupFailed.

    An existing file is not touched, and an incomplete one does not get this name.
    """
    if file.exists():
        raise BackupFailed(f"{file} already exists. Name a new file.")
    draft = file.with_name(f".{file.name}.part")
    try:
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        if connection.vendor == "sqlite":
            with closing(sqlite3.connect(_sqlite_file())) as live, closing(sqlite3.connect(draft)) as copy:
                live.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")  # A single file, without those of the write-ahead log.
        else:
            _run(
                "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={draft}", *_connection_options()
            )
        draft.rename(file)
    except (OSError, sqlite3.Error) as error:
        raise BackupFailed(f"Cannot write the backup: {error}") from error
    finally:
        draft.unlink(missing_ok=True)


def database_load(file: Path) -> None:
    """Replace the database by that of `file`. Raises BackupFailed, and then leaves the present one as it was."""
    try:
        if connection.vendor == "sqlite":
            _check_sqlite(file)
            connection.close()
            Path(_sqlite_file()).parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(file)) as copy, closing(sqlite3.connect(_sqlite_file(), timeout=20)) as live:
                copy.backup(live)
        else:
            connection.close()
            options = ["--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction"]
            _run("pg_restore", *options, *_connection_options(), str(file))
    except (BackupFailed, OSError, sqlite3.Error) as error:
        raise BackupFailed(f"{file} cannot be loaded. {error}") from error


def _check_sqlite(file: Path) -> None:
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as copy:
        try:
            (found,) = copy.execute("PRAGMA quick_check(1)").fetchone()
            copy.execute("SELECT count(*) FROM django_migrations")
        except sqlite3.DatabaseError as error:
            found = error
    if found != "ok":
        raise BackupFailed(f"Incomplete backup, or not one of this service: {found}")


def _sqlite_file() -> str:
    return str(connection.settings_dict["NAME"])


def _connection_options() -> list[str]:
    given = connection.settings_dict
    values = {"host": given["HOST"], "port": given["PORT"], "username": given["USER"], "dbname": given["NAME"]}
    return [f"--{name}={value}" for name, value in values.items() if value]


def _run(program: str, *arguments: str) -> None:
    versions = sorted(POSTGRESQL_FOLDER.glob(f"*/bin/{program}"), key=lambda path: float(path.parts[-3]))
    found = shutil.which(program) or (versions and str(versions[-1]))
    if not found:
        raise BackupFailed(f"{program} is not installed. Debian, Ubuntu: apt install postgresql-client")
    # In the environment, as every user can see the arguments of a process.
    password = {"PGPASSWORD": str(connection.settings_dict["PASSWORD"])} if connection.settings_dict["PASSWORD"] else {}
    done = subprocess.run([found, *arguments], env={**os.environ, **password}, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise BackupFailed(f"{program} exited with {done.returncode}: {done.stderr.strip()[-2000:]}")
