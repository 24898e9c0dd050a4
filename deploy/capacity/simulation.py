"""The line, the batchers and the workers, event by event; the same seed gives the same photos."""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

DAY_SECONDS = 86400.0

#: Seconds that a batch of so many photos takes.
Service = Callable[[int, random.Random], float]


@dataclass(frozen=True)
class Outcome:
    """Seconds of each photo, in order of arrival, and how busy the devices were."""

    waits: list[float]  #: until its batch began
    totals: list[float]  #: until its batch ended
    batches: list[int]  #: photos in each
    busy: float  #: part of their time that the devices worked, between the first arrival and the last end

    def wait(self, part: float) -> float:
        """The wait that this part of the photos stays below."""
        return below(self.waits, part)

    def total(self, part: float) -> float:
        return below(self.totals, part)


def below(values: list[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def poisson(rate: float, seconds: float, rng: random.Random) -> Iterator[float]:
    """Moments at which people come who do not know of each other, `rate` a second on average."""
    moment = rng.expovariate(rate)
    while moment < seconds:
        yield moment
        moment += rng.expovariate(rate)


def daily(mean: float, peak: float, seconds: float, rng: random.Random) -> Iterator[float]:
    """Poisson arrivals with a daily peak: λ(t) = mean (1 + (peak - 1) cos(2π t / day)), which begins at the peak.

    `peak` is the busiest moment's rate over the day's mean, from 1, all hours alike, to 2, nobody at the quietest. By
    thinning (P. A. W. Lewis and G. S. Shedler, Naval Research Logistics Quarterly 26, 1979).
    """
    if not 1 <= peak <= 2:
        raise ValueError("a peak is 1 to 2 times the mean")
    for moment in poisson(mean * peak, seconds, rng):
        rate = mean * (1 + (peak - 1) * math.cos(2 * math.pi * moment / DAY_SECONDS))
        if rng.random() * mean * peak < rate:
            yield moment


def linear(fixed: float, each: float, variation: float = 0.0) -> Service:
    """A batch of b takes `fixed` + `each` b seconds; `variation` is the squared coefficient of variation (gamma)."""

    def seconds(photos: int, rng: random.Random) -> float:
        mean = fixed + each * photos
        return rng.gammavariate(1 / variation, mean * variation) if variation else mean

    return seconds


def simulate(arrivals: Iterator[float], workers: int, service: Service, *, most: int, rng: random.Random) -> Outcome:
    """One line, first come first served; each worker that is free takes up to `most` photos of it as its next batch."""
    events: list[tuple[float, int, int]] = []  # when, a number that no other has, worker or -1 for an arrival
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
