"""Queueing theory. Rates are per second and times in seconds; λ arrivals, s service, c servers, ρ utilization."""

from __future__ import annotations

import math


def in_system(arrivals: float, seconds: float) -> float:
    """The mean number in the system: L = λ W (J. D. C. Little, A proof for the queuing formula, 1961)."""
    return arrivals * seconds


def erlang_c(servers: int, offered: float) -> float:
    """The probability that an arrival has to wait in M/M/c with an offered load a = λ s; 1 if a ≥ c.

    Uses the recursion for Erlang B, which does not overflow: B(0) = 1, B(n) = a B(n-1) / (n + a B(n-1)), and then
    C = B / (1 - ρ (1 - B)) (A. K. Erlang, 1917; R. B. Cooper, Introduction to Queueing Theory, 2nd ed. 1981, ch. 3).
    """
    if offered >= servers:
        return 1.0
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = offered * blocked / (n + offered * blocked)
    return blocked / (1 - offered / servers * (1 - blocked))


def mean_wait(arrivals: float, seconds: float, servers: int, variation: float = 0.0) -> float:
    """The mean wait before service in M/G/c; `variation` is the squared coefficient of variation of the service time.

    W = C(c, a) s / (c - a) · (1 + c²ₛ) / 2, the approximation of Allen and Cunneen for Poisson arrivals (A. O. Allen,
    Probability, Statistics, and Queueing Theory, 2nd ed. 1990, ch. 5). It is exact for one server (Pollaczek and
    Khinchine). Infinite if ρ ≥ 1.
    """
    offered = arrivals * seconds
    if offered >= servers:
        return math.inf
    return erlang_c(servers, offered) * seconds / (servers - offered) * (1 + variation) / 2


def wait_quantile(quantile: float, arrivals: float, seconds: float, servers: int, variation: float = 0.0) -> float:
    """The wait at this quantile, e.g. .95 for the 95th percentile.

    Assumes that nonzero waits are exponential, which is exact for M/M/c: P(W > t) = C exp(-t C / E[W]).
    """
    waiting = erlang_c(servers, arrivals * seconds)
    mean = mean_wait(arrivals, seconds, servers, variation)
    if math.isinf(mean):
        return math.inf
    return mean / waiting * math.log(waiting / (1 - quantile)) if waiting > 1 - quantile else 0.0


def batch_latency(arrivals: float, fixed: float, each: float) -> float:
    """An upper bound on the mean latency at one device that takes all waiting photos as its next batch.

    A batch of b photos takes `fixed` + `each` b seconds. min(φ₀, φ₁) of Y. Inoue, Queueing analysis of GPU-based
    inference servers with dynamic batching: a closed-form characterization, Performance Evaluation 147, 2021 (arXiv
    1912.06322). Infinite if `each` λ ≥ 1.
    """
    busy = arrivals * each
    if busy >= 1:
        return math.inf
    light = (each + fixed) / (2 * (1 - busy)) * (1 + 2 * arrivals * fixed + (1 - arrivals * fixed) / (1 + busy))
    heavy = 1.5 * fixed / (1 - busy) + each / 2 * (busy + 2) / (1 - busy**2)
    return min(light, heavy)


def servers_for(
    arrivals: float, seconds: float, *, quantile: float, max_wait: float, max_utilization: float, variation: float = 0.0
) -> int:
    """The smallest number of servers that keeps the wait at `quantile` and the utilization within their limits."""
    servers = max(1, math.ceil(arrivals * seconds / max_utilization))
    while wait_quantile(quantile, arrivals, seconds, servers, variation) > max_wait:
        servers += 1
    return servers
