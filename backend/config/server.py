"""Extensions of gunicorn: request timeouts for its threads, and its own log lines as JSON."""

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

#: Seconds for receiving a whole request, and again for sending its response.
REQUEST_TIMEOUT_SECONDS = float(os.environ.get("SCALP_WEB_PATIENCE") or 60)


class PatientWorker(ThreadWorker):
    """gunicorn's thread worker, which otherwise waits forever for the rest of a request after its first byte.

    If a phone loses its network during an upload, its thread would never be free again: after 32 such phones, or one
    malicious client, the server would no longer answer anyone.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.started: dict[Any, float] = {}

    def handle(self, conn: Any) -> Any:
        self.started[conn] = time.monotonic()
        try:
            return super().handle(conn)
        finally:
            del self.started[conn]

    def murder_pending(self) -> None:
        """Called by gunicorn about once per second. Stops reading from overdue connections, then closes them."""
        super().murder_pending()
        now = time.monotonic()
        for conn, started in list(self.started.items()):
            if now - started > REQUEST_TIMEOUT_SECONDS:
                how = socket.SHUT_RD if now - started < 2 * REQUEST_TIMEOUT_SECONDS else socket.SHUT_RDWR
                with contextlib.suppress(OSError):  # Already closed.
                    conn.sock.shutdown(how)


class JSONLines(Logger):
    """The server's own messages as JSON. Configuring them by `logconfig_dict` would bring back one line per request."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(json_formatter())
