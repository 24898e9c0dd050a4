"""Load on a web server from one thread: keep-alive connections, each of which asks again once it has its answer."""

from __future__ import annotations

import os
import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 8


@dataclass(frozen=True)
class Load:
    """What a server answered in `seconds`, how many answers of each status, and what that cost whom in CPU seconds."""

    seconds: float
    statuses: dict[int, int]
    server_cpu: float
    generator_cpu: float

    @property
    def answers(self) -> int:
        return sum(self.statuses.values())

    @property
    def per_core(self) -> float:
        """Answers a second of the server's CPU time: what one core would give that does nothing else."""
        return self.answers / self.server_cpu

    @property
    def generator_busy(self) -> float:
        """The share of its time that the generator computed. Near 1 it would be what was measured."""
        return self.generator_cpu / self.seconds


def load(port: int, requests: Iterator[bytes], *, server: Sequence[int], seconds: float) -> Load:
    """Ask the server on this port for so long; `server` are the ids of the processes whose CPU time counts."""
    statuses: Counter[int] = Counter()
    received: dict[socket.socket, bytearray] = {}
    with selectors.DefaultSelector() as selector:
        for _ in range(CONNECTIONS):
            connection = socket.create_connection(("127.0.0.1", port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection, selectors.EVENT_READ)
            received[connection] = bytearray()
        cpu, own, begun = sum(map(cpu_seconds, server)), time.thread_time(), time.monotonic()
        for connection in received:
            connection.sendall(next(requests))
        while (now := time.monotonic()) - begun < seconds:
            for key, _ in selector.select(1):
                connection = key.fileobj
                assert isinstance(connection, socket.socket)
                data = connection.recv(65536)
                if not data:
                    raise ConnectionError("the server hung up")
                answer = received[connection]
                answer += data
                if complete(answer):
                    statuses[int(answer[9:12])] += 1
                    answer.clear()
                    connection.sendall(next(requests))
        found = Load(
            now - begun, dict(statuses), sum(map(cpu_seconds, server)) - cpu, time.thread_time() - own
        )  # fmt: skip
    for connection in received:
        connection.close()
    return found


def get(path: str, **headers: str) -> bytes:
    """A GET as a browser's script would send it; headers by name with underscores."""
    lines = {
        "Host": "localhost",
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Accept": "application/json",
        "Accept-Language": "ko-KR,ko;q=0.9,en;q=0.8",
        "Accept-Encoding": "gzip, deflate, br",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"GET {path} HTTP/1.1\r\n{head}\r\n".encode()


def children(process: int) -> list[int]:
    """The ids of the processes that this one started."""
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def cpu_seconds(process: int) -> float:
    """What all threads of a process that are still there have computed so far (proc(5), schedstat: nanoseconds)."""
    spent = 0
    for thread in os.listdir(f"/proc/{process}/task"):
        spent += int(Path(f"/proc/{process}/task/{thread}/schedstat").read_text().split()[0])
    return spent / 1e9


def complete(answer: bytearray) -> bool:
    """Whether these bytes are a whole answer. Raises ValueError for one that does not tell its length."""
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return False
    if answer[9:12] == b"304":
        return True
    length = answer.lower().find(b"content-length:", 0, head)
    if length < 0:
        raise ValueError(f"an answer without a length: {bytes(answer[:head])!r}")
    return len(answer) >= head + 4 + int(answer[length + 15 : answer.find(b"\r\n", length)])
