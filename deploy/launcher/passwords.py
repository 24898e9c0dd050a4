"""Passwords between programs of one run, each in a file of its own that only its owner reads."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

LEAST_LENGTH = 32


def kept_password(kept: Path, directive: str = "") -> str:
    """The password that the file `kept` holds; made where it has none.

    With a `directive` the file is a line of a configuration: that word, then the password.
    """
    try:
        *before, password = kept.read_text().split()
    except (OSError, ValueError):
        before, password = [], ""
    if before != directive.split() or len(password) < LEAST_LENGTH:
        password = secrets.token_urlsafe(32)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.unlink(missing_ok=True)
        with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{directive} {password}\n".lstrip())
    kept.chmod(0o600)
    return password
