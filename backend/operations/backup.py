"""The database as one file, taken while the service writes, and back again. Photos are no part of it.

SQLite: its online backup (https://www.sqlite.org/backup.html). PostgreSQL: pg_dump and pg_restore, whose programs have
to be on this machine.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from django.db import connection

POSTGRESQL_FOLDER = Path("/usr/lib/postgresql")  #: where Debian keeps those that are not on the PATH


class BackupFailed(Exception):
    """What could not be written, read or loaded, in a sentence for the operator."""


def database_dump(file: Path) -> None:
    """Write the database to `file`, which nobody else may read, as it is at one moment. Raises BackupFailed.

    A file that is there already is not touched, and one that is not whole does not get the name.
    """
    if file.exists():
        raise BackupFailed(f"{file} is there already. Name a new file.")
    growing = file.with_name(f".{file.name}.part")
    try:
        growing.unlink(missing_ok=True)
        growing.touch(mode=0o600)
        if connection.vendor == "sqlite":
            with closing(sqlite3.connect(_sqlite_file())) as live, closing(sqlite3.connect(growing)) as copy:
                live.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")  # One file, without those that go with a log.
        else:
            _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={growing}", *_where())
        growing.rename(file)
    except (OSError, sqlite3.Error) as error:
        raise BackupFailed(f"The backup could not be written: {error}") from error
    finally:
        growing.unlink(missing_ok=True)


def database_load(file: Path) -> None:
    """Put the database of `file` in the place of the present one. Raises BackupFailed; then that one is as it was."""
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
            _run("pg_restore", *options, *_where(), str(file))
    except (BackupFailed, OSError, sqlite3.Error) as error:
        raise BackupFailed(f"{file} could not be loaded. {error}") from error


def _check_sqlite(file: Path) -> None:
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as copy:
        try:
            (found,) = copy.execute("PRAGMA quick_check(1)").fetchone()
            copy.execute("SELECT count(*) FROM django_migrations")
        except sqlite3.DatabaseError as error:
            found = error
    if found != "ok":
        raise BackupFailed(f"It is no whole backup of this service: {found}")


def _sqlite_file() -> str:
    return str(connection.settings_dict["NAME"])


def _where() -> list[str]:
    given = connection.settings_dict
    told = {"host": given["HOST"], "port": given["PORT"], "username": given["USER"], "dbname": given["NAME"]}
    return [f"--{name}={value}" for name, value in told.items() if value]


def _run(program: str, *arguments: str) -> None:
    versions = sorted(POSTGRESQL_FOLDER.glob(f"*/bin/{program}"), key=lambda path: float(path.parts[-3]))
    found = shutil.which(program) or (versions and str(versions[-1]))
    if not found:
        raise BackupFailed(f"{program} is not on this machine. Debian, Ubuntu: apt install postgresql-client")
    # By the environment: the list of processes shows arguments to everybody.
    password = {"PGPASSWORD": str(connection.settings_dict["PASSWORD"])} if connection.settings_dict["PASSWORD"] else {}
    done = subprocess.run([found, *arguments], env={**os.environ, **password}, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise BackupFailed(f"{program} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
