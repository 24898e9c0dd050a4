"""The load generator: clients that each send the next photo when they have the answer to the last."""

from __future__ import annotations

import itertools
import resource
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
import requests

from ml.bench.contenders import Taken
from ml.bench.host import LineFailed

#: Sends a photo and returns the probabilities `[6, 4]` of its answer. Raises RequestException or LineFailed.
Ask = Callable[[requests.Session, bytes], np.ndarray]


def closed_loop(photos: Sequence[bytes], clients: int, ask: Ask) -> Taken:
    """All photos once, `clients` at a time. Raises LineFailed where one was not answered."""
    answers: list[np.ndarray | None] = [None] * len(photos)
    latencies = [0.0] * len(photos)
    failures: list[Exception] = []
    turns = itertools.count()

    def client() -> None:
        with requests.Session() as session:
            session.trust_env = False  # Loopback needs no proxy.
            while (place := next(turns)) < len(photos) and not failures:
                began = time.perf_counter()
                try:
                    answers[place] = ask(session, photos[place])
                except (requests.RequestException, LineFailed, KeyError, ValueError) as error:
                    failures.append(error)
                latencies[place] = time.perf_counter() - began

    threads = [threading.Thread(target=client) for _ in range(clients)]
    used, began = _cpu_seconds(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if failures:
        raise LineFailed(f"A request was not answered: {failures[0]!r}")
    return Taken(seconds, latencies, np.stack(answers), (_cpu_seconds() - used) / seconds)  # type: ignore[arg-type]


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
