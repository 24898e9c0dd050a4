"""What the web server has of ours: threads that do not wait for ever, and its own lines as JSON."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import Any

from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from backend.operations.logs import json_formatter

#: Seconds in which a request must have come in whole, and then again its answer have been taken.
PATIENCE = float(os.environ.get("SCALP_WEB_PATIENCE") or 60)


class PatientWorker(ThreadWorker):
    """gunicorn's threads, which wait for ever for the rest of a request once its first byte has come.

    A phone that loses its network in the middle of an upload says no more, and its thread would never be free again:
    after 32 of them, or of somebody who does it on purpose, nobody is answered.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.begun: dict[Any, float] = {}

    def handle(self, conn: Any) -> Any:
        self.begun[conn] = time.monotonic()
        try:
            return super().handle(conn)
        finally:
            del self.begun[conn]

    def murder_pending(self) -> None:
        """Called by gunicorn about once a second: who was waited for long enough is heard no more, then cut off."""
        super().murder_pending()
        now = time.monotonic()
        for conn, begun in list(self.begun.items()):
            if now - begun > PATIENCE:
                how = socket.SHUT_RD if now - begun < 2 * PATIENCE else socket.SHUT_RDWR
                with contextlib.suppress(OSError):  # Gone by itself.
                    conn.sock.shutdown(how)


class JSONLines(Logger):
    """What the server says itself, in JSON like all else. Its `logconfig_dict` would bring back the line a request."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(json_formatter())
