"""A folder that keeps expensive results, such as compiled networks, between starts."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import time
from pathlib import Path

logger = logging.getLogger(__name__)

#: Files that were not used for this long are deleted on the next write.
_MAX_UNUSED_SECONDS = 30 * 24 * 3600


def default_cache() -> Path:
    """`SCALP_CACHE` if it is set, else the user's cache folder."""
    if folder := os.environ.get("SCALP_CACHE"):
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scalpspectra"


class Cache:
    """Files by name. They may be deleted at any time; several processes may share the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, name: str) -> Path | None:
        """The file of this name, marked as used just now, or None."""
        path = self._path(name)
        try:
            os.utime(path)
        except OSError:
            return None
        return path

    def write(self, name: str, content: bytes | memoryview) -> bool:
        """Store content under a name atomically. False, with a warning, if the folder is not writable."""
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
            logger.warning("cannot write to the cache %s, so each start takes longer: %s", self.folder, error)
            return False
        return True

    def _path(self, name: str) -> Path:
        return self.folder / hashlib.sha256(name.encode()).hexdigest()

    def _prune(self) -> None:
        for path in self.folder.iterdir():
            if path.is_file() and path.stat().st_mtime < time.time() - _MAX_UNUSED_SECONDS:
                path.unlink(missing_ok=True)
