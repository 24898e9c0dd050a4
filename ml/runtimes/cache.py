"""A folder that keeps what is slow to make, such as compiled networks, between starts."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import time
from pathlib import Path

logger = logging.getLogger(__name__)

#: What was not used for so long is thrown away when something new is written.
_UNUSED_SECONDS = 30 * 24 * 3600


def default_cache() -> Path:
    """`SCALP_CACHE` where it is set, else where the system keeps a user's caches."""
    named = os.environ.get("SCALP_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scalpspectra"


class Cache:
    """Files by name. Anyone may delete them at any time; several processes may share the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, name: str) -> Path | None:
        """The file of this name, None where there is none. It counts as used now."""
        path = self._path(name)
        try:
            os.utime(path)
        except OSError:
            return None
        return path

    def write(self, name: str, content: bytes | memoryview) -> bool:
        """Keep content under a name, whole or not at all. False where the folder can't be written: a log says so."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._prune()
            handle, draft = tempfile.mkstemp(prefix=".draft-", dir=self.folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                os.replace(draft, self._path(name))
            finally:
                Path(draft).unlink(missing_ok=True)
        except OSError as error:
            logger.warning("nothing is kept in %s, so each start takes longer: %s", self.folder, error)
            return False
        return True

    def _path(self, name: str) -> Path:
        return self.folder / hashlib.sha256(name.encode()).hexdigest()

    def _prune(self) -> None:
        for path in self.folder.iterdir():
            if path.is_file() and path.stat().st_mtime < time.time() - _UNUSED_SECONDS:
                path.unlink(missing_ok=True)
