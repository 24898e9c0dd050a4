"""Extensions of gunicorn: request timeouts for its threads, and its own log lines as JSON."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import socket
import time
from dataclasses import dataclass
from typing import Any

from gunicorn import http
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from backend.operations.logs import json_formatter

#: Seconds for receiving a whole request, and again for sending its response.
REQUEST_TIMEOUT_SECONDS = float(os.environ.get("SCALP_WEB_PATIENCE") or 60)
#: A connection is closed if nothing has arrived on it after this.
SILENT_SECONDS = 10.0
#: Requests up to this size are received without a thread. For larger ones, which are photos, half of the threads may be
#: in use at once.
WAITING_HEAD_BYTES = 32_768
WAITING_BODY_BYTES = 65_536
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)


@dataclass
class Reception:
    """What has arrived of a request that no thread works on yet."""

    began: float
    received: bytearray
    head_bytes: int = 0  #: 0 until the head is complete
    body_bytes: int = 0  #: by its header

    def add(self, piece: bytes) -> bool:
        """Whether the head is complete since this piece."""
        self.received += piece
        if self.head_bytes or (end := self.received.find(b"\r\n\r\n")) < 0:
            return False
        self.head_bytes = end + 4
        found = _LENGTH.search(self.received, 0, end + 2)
        self.body_bytes = int(found[1]) if found and len(found[1]) < 19 else 0
        return True

    @property
    def is_large(self) -> bool:
        return self.body_bytes > WAITING_BODY_BYTES

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for `100 Continue`. The thread sends another one, which does no harm."""
        return not self.is_large and _EXPECT.search(self.received, 0, self.head_bytes) is not None

    @property
    def is_complete(self) -> bool:
        """Whether a thread could answer without waiting, or has to take over because the request is large or odd."""
        if not self.head_bytes:
            return len(self.received) > WAITING_HEAD_BYTES
        return self.is_large or len(self.received) >= self.head_bytes + self.body_bytes


class PatientWorker(ThreadWorker):
    """gunicorn's thread worker, which otherwise gives a thread to each connection before anything arrives on it, and
    then waits forever for the rest of a request.

    Heads and small bodies are received here without a thread, and large bodies never take all threads. Once it has a
    thread, a request has a deadline: if a phone loses its network during an upload, its thread would never be free
    again, and after 32 such phones the server would no longer answer anyone.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.started: dict[Any, float] = {}
        self.receiving: dict[Any, Reception] = {}  # The oldest first.
        self.large: set[Any] = set()  # Those with a large body that have a thread,
        self.large_waiting: dict[Any, float] = {}  # and those that wait for one, the oldest first.

    def enqueue_req(self, conn: Any) -> None:
        """Called by gunicorn for each new connection, and for each next request on a kept one. Waits for the request
        before it takes a thread."""
        if self.cfg.is_ssl:
            super().enqueue_req(conn)
            return
        if conn.parser is None:
            conn.parser = http.get_parser(self.cfg, conn.sock, conn.client)
        reception = Reception(time.monotonic(), bytearray())
        reception.add(conn.parser.unreader.take_buffered())
        conn.sock.setblocking(False)
        self.receiving[conn] = reception
        self.poller.register(conn.sock, selectors.EVENT_READ, lambda _socket: self.receive(conn))
        if reception.is_complete:
            self._hand_over(conn)
        elif self.nr_conns >= self.worker_connections:
            # It would accept no other connection until one leaves.
            self._drop(next(iter(self.receiving)))

    def receive(self, conn: Any) -> None:
        """Called by gunicorn's loop when something has arrived."""
        reception = self.receiving[conn]
        try:
            piece = conn.sock.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if reception.add(piece) and reception.expects_continue:
            with contextlib.suppress(OSError):
                conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not piece and not reception.received:
            self._drop(conn)
        elif not piece or reception.is_complete:
            self._hand_over(conn)

    def handle(self, conn: Any) -> Any:
        self.started[conn] = time.monotonic()
        try:
            return super().handle(conn)
        finally:
            del self.started[conn]

    def murder_pending(self) -> None:
        """Called by gunicorn about once per second. Drops connections on which too little arrives, stops reading from
        overdue ones that have a thread, then closes them."""
        super().murder_pending()
        now = time.monotonic()
        for conn, reception in list(self.receiving.items()):
            patience = REQUEST_TIMEOUT_SECONDS if reception.received else min(SILENT_SECONDS, REQUEST_TIMEOUT_SECONDS)
            if now - reception.began > patience or not (self.alive or reception.received):
                self._drop(conn)
        for conn, since in list(self.large_waiting.items()):
            if now - since > REQUEST_TIMEOUT_SECONDS:
                del self.large_waiting[conn]
                self.nr_conns -= 1
                conn.close()
        for conn, started in list(self.started.items()):
            if now - started > REQUEST_TIMEOUT_SECONDS:
                how = socket.SHUT_RD if now - started < 2 * REQUEST_TIMEOUT_SECONDS else socket.SHUT_RDWR
                with contextlib.suppress(OSError):  # Already closed.
                    conn.sock.shutdown(how)

    def _hand_over(self, conn: Any) -> None:
        reception = self.receiving.pop(conn)
        self.poller.unregister(conn.sock)
        conn.parser.unreader.unread(bytes(reception.received))
        conn.data_ready = True
        if reception.is_large and len(self.large) >= max(1, self.cfg.threads // 2):
            self.large_waiting[conn] = time.monotonic()
            return
        if reception.is_large:
            self.large.add(conn)
        super().enqueue_req(conn)

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Called by gunicorn's loop when a thread is done with a request."""
        if conn in self.large:
            self.large.remove(conn)
            if self.large_waiting:
                following = next(iter(self.large_waiting))
                del self.large_waiting[following]
                self.large.add(following)
                super().enqueue_req(following)
        super().finish_request(conn, fs)

    def _drop(self, conn: Any) -> None:
        del self.receiving[conn]
        self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()


class JSONLines(Logger):
    """The server's own messages as JSON. Configuring them by `logconfig_dict` would bring back one line per request."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(json_formatter())
