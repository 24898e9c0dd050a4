"""How many requests a second a web server answers in time: an open loop, at a fixed rate that grows step by step.

A request is sent when it is due, whether the former ones were answered or not, and its latency counts from the moment
at which it was due: a server that stalls is charged for all that should have come meanwhile ("coordinated omission",
G. Tene, How NOT to Measure Latency, 2013).
"""

from __future__ import annotations

import math
import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass

from tests.bench.service_load import complete
from tests.load.fairness import quantile

IN_TIME_SECONDS = 0.2  #: what the 99th percentile has to stay under
GRACE_SECONDS = 5.0  #: after the last one was due; what is not answered then never was
MOST_CONNECTIONS = 256
GROWTH = 1.25  #: from step to step


@dataclass(frozen=True)
class Step:
    """What came of one rate: statuses of the answers, and latencies in seconds, infinite where none came."""

    rate: float
    statuses: dict[int, int]
    p50: float
    p99: float

    def holds(self, status: int) -> bool:
        return set(self.statuses) == {status} and self.p99 < IN_TIME_SECONDS


def open_loop(port: int, requests: Iterator[bytes], rate: float, seconds: float) -> Step:
    """Send `rate` requests a second for so long, evenly spaced, each on a connection that is free or a new one."""
    total = max(1, round(rate * seconds))
    statuses: Counter[int] = Counter()
    latencies: list[float] = []
    idle: list[socket.socket] = []
    busy: dict[socket.socket, tuple[float, bytes, bytearray]] = {}
    late: deque[tuple[float, bytes]] = deque()  #: due, and no connection free
    with selectors.DefaultSelector() as selector:

        def send(due: float, request: bytes) -> None:
            if idle:
                connection = idle.pop()
            else:
                connection = socket.create_connection(("127.0.0.1", port))
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(connection, selectors.EVENT_READ)
            busy[connection] = (due, request, bytearray())
            try:
                connection.sendall(request)
            except OSError:
                forget(connection)

        def forget(connection: socket.socket) -> None:
            """The server closed it: an idle one just goes, what was asked on a busy one is asked again."""
            selector.unregister(connection)
            connection.close()
            if connection in idle:
                idle.remove(connection)
            elif connection in busy:
                due, request, _answer = busy.pop(connection)
                late.append((due, request))

        begun, sent = time.monotonic(), 0
        while len(latencies) < total:
            now = time.monotonic()
            if now > begun + seconds + GRACE_SECONDS:
                break
            while sent < total and begun + sent / rate <= now:
                late.append((begun + sent / rate, next(requests)))
                sent += 1
            while late and (idle or len(busy) < MOST_CONNECTIONS):
                send(*late.popleft())
            until_due = begun + sent / rate - time.monotonic() if sent < total else 0.1
            for key, _ in selector.select(max(0.0, min(until_due, 0.1))):
                connection = key.fileobj
                assert isinstance(connection, socket.socket)
                try:
                    data = connection.recv(65536)
                except OSError:
                    data = b""
                if not data:
                    forget(connection)
                    continue
                due, _request, answer = busy[connection]
                answer += data
                if complete(answer):
                    latencies.append(time.monotonic() - due)
                    statuses[int(answer[9:12])] += 1
                    del busy[connection]
                    idle.append(connection)
        for connection in [*idle, *busy]:
            connection.close()
    latencies += [math.inf] * (total - len(latencies))
    latencies.sort()
    return Step(rate, dict(statuses), quantile(latencies, 0.5), quantile(latencies, 0.99))


def highest(
    port: int, requests: Iterator[bytes], status: int, *, start: float, seconds: float, most: float = 10_000
) -> tuple[Step | None, list[Step]]:
    """The highest step that holds, and all steps. A step that does not hold gets a second try before it is the last."""
    steps: list[Step] = []
    best, rate = None, start
    while rate <= most:
        for _try in range(2):
            steps.append(open_loop(port, requests, rate, seconds))
            if steps[-1].holds(status):
                break
        else:
            return best, steps
        best, rate = steps[-1], rate * GROWTH
    return best, steps
