"""Queues on paper. Rates are a second, times are seconds; λ arrivals, s service, c servers, ρ utilisation."""

from __future__ import annotations

import math


def utilisation(arrivals: float, seconds: float, servers: int) -> float:
    """ρ = λ s / c, the part of its time that a server is busy; from 1 on the line grows without end."""
    return arrivals * seconds / servers


def in_system(arrivals: float, seconds: float) -> float:
    """How many are there on average: L = λ W (J. D. C. Little, A proof for the queuing formula, 1961)."""
    return arrivals * seconds


def erlang_c(servers: int, offered: float) -> float:
    """The probability that who comes has to wait, in M/M/c with an offered load a = λ s; 1 where a ≥ c.

    By the recursion of Erlang's B, which does not overflow: B(0) = 1, B(n) = a B(n-1) / (n + a B(n-1)), and then
    C = B / (1 - ρ (1 - B)) (A. K. Erlang, 1917; R. B. Cooper, Introduction to Queueing Theory, 2nd ed. 1981, ch. 3).
    """
    if offered >= servers:
        return 1.0
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = offered * blocked / (n + offered * blocked)
    return blocked / (1 - offered / servers * (1 - blocked))


def mean_wait(arrivals: float, seconds: float, servers: int, variation: float = 0.0) -> float:
    """The mean wait before service in M/G/c, `variation` being the squared coefficient of variation of the service.

    W = C(c, a) s / (c - a) · (1 + c²ₛ) / 2, the approximation of Allen and Cunneen with Poisson arrivals (A. O. Allen,
    Probability, Statistics, and Queueing Theory, 2nd ed. 1990, ch. 5). With one server it is exact (Pollaczek and
    Khinchine). Infinite where ρ ≥ 1.
    """
    offered = arrivals * seconds
    if offered >= servers:
        return math.inf
    return erlang_c(servers, offered) * seconds / (servers - offered) * (1 + variation) / 2


def wait_below(part: float, arrivals: float, seconds: float, servers: int, variation: float = 0.0) -> float:
    """The wait that this part of all stays below, .95 for the 95th percentile.

    Those who wait at all do so for an exponential time, which is exact for M/M/c: P(W > t) = C exp(-t C / E[W]).
    """
    waiting = erlang_c(servers, arrivals * seconds)
    mean = mean_wait(arrivals, seconds, servers, variation)
    if math.isinf(mean):
        return math.inf
    return mean / waiting * math.log(waiting / (1 - part)) if waiting > 1 - part else 0.0


def batch_latency(arrivals: float, fixed: float, each: float) -> float:
    """A bound on the mean time from arrival to answer at one device that takes all that wait as its next batch.

    A batch of b photos takes `fixed` + `each` b seconds. min(φ₀, φ₁) of Y. Inoue, Queueing analysis of GPU-based
    inference servers with dynamic batching: a closed-form characterization, Performance Evaluation 147, 2021 (arXiv
    1912.06322). Infinite where `each` λ ≥ 1.
    """
    busy = arrivals * each
    if busy >= 1:
        return math.inf
    light = (each + fixed) / (2 * (1 - busy)) * (1 + 2 * arrivals * fixed + (1 - arrivals * fixed) / (1 + busy))
    heavy = 1.5 * fixed / (1 - busy) + each / 2 * (busy + 2) / (1 - busy**2)
    return min(light, heavy)


def batch_seconds(arrivals: float, fixed: float, each: float, most: int) -> float:
    """Seconds of device time that a photo takes, at one device with so many arrivals.

    As many photos gather as come while a batch runs, b = λ (fixed + each b), from 1 to `most`.
    """
    busy = arrivals * each
    photos = most if busy >= 1 else min(max(arrivals * fixed / (1 - busy), 1.0), float(most))
    return fixed / photos + each


def servers_for(
    arrivals: float, seconds: float, *, part: float, within: float, most_busy: float, variation: float = 0.0
) -> int:
    """The fewest servers, busy `most_busy` of their time at most, with which this part of all waits below `within`."""
    fewest = max(1, math.ceil(arrivals * seconds / most_busy))
    while wait_below(part, arrivals, seconds, fewest, variation) > within:
        fewest += 1
    return fewest
