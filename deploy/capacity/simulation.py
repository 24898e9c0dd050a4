"""A discrete-event simulation of one queue and its batching workers; the same seed gives the same photos."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

#: Seconds that a batch takes, from its number of photos.
Service = Callable[[int, random.Random], float]


@dataclass(frozen=True)
class Outcome:
    """The times of each photo in seconds, in order of arrival, and the utilization of the devices."""

    waits: list[float]  #: until its batch began
    totals: list[float]  #: until its batch ended
    batches: list[int]  #: photos in each
    busy: float  #: utilization of the devices between the first arrival and the last end

    def wait(self, quantile: float) -> float:
        return below(self.waits, quantile)

    def total(self, quantile: float) -> float:
        return below(self.totals, quantile)


def below(values: list[float], quantile: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(quantile * len(ordered)))]


def poisson(rate: float, seconds: float, rng: random.Random) -> Iterator[float]:
    """The times of independent arrivals, `rate` per second on average."""
    moment = rng.expovariate(rate)
    while moment < seconds:
        yield moment
        moment += rng.expovariate(rate)


def linear(fixed: float, each: float, variation: float = 0.0) -> Service:
    """A batch of b takes `fixed` + `each` b seconds; `variation` is the squared coefficient of variation (gamma)."""

    def seconds(photos: int, rng: random.Random) -> float:
        mean = fixed + each * photos
        return rng.gammavariate(1 / variation, mean * variation) if variation else mean

    return seconds


def simulate(arrivals: Iterator[float], workers: int, service: Service, *, most: int, rng: random.Random) -> Outcome:
    """One queue, first come, first served; a free worker takes up to `most` photos as its next batch."""
    events: list[tuple[float, int, int]] = []  # time, sequence number, worker or -1 for an arrival
    waits: list[float] = []
    totals: list[float] = []
    batches: list[int] = []
    came: list[float] = []
    line: deque[int] = deque()
    free = list(range(workers))
    number, worked, now = 0, 0.0, 0.0

    def expect(moment: float, what: int) -> None:
        nonlocal number
        heapq.heappush(events, (moment, number, what))
        number += 1

    first = next(arrivals, None)
    if first is not None:
        expect(first, -1)
    while events:
        now, _, what = heapq.heappop(events)
        if what < 0:
            line.append(len(came))
            came.append(now)
            waits.append(0.0)
            totals.append(0.0)
            if (following := next(arrivals, None)) is not None:
                expect(following, -1)
        else:
            free.append(what)
        while line and free:
            batch = [line.popleft() for _ in range(min(most, len(line)))]
            seconds = service(len(batch), rng)
            for photo in batch:
                waits[photo], totals[photo] = now - came[photo], now - came[photo] + seconds
            batches.append(len(batch))
            worked += seconds
            expect(now + seconds, free.pop())
    span = now - first if first is not None else 0.0
    return Outcome(waits, totals, batches, worked / (workers * span) if span else 0.0)
