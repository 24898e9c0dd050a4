"""What the simulation of `deploy.capacity` says of a worker, compared with how long photos really waited."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from typing import Any

from deploy.capacity.simulation import below, linear, simulate
from tests.load.fairness import send_poisson
from tests.support.environment import until
from tests.support.stack import ENDED, Stack


@dataclass(frozen=True)
class Forecast:
    """Seconds from when a photo was queued to its end, as they were and as the simulation has them.

    The simulation gets the moments at which photos were really queued, and what the worker says that a photo takes it.
    """

    busy: float  #: the part of its time that the worker is asked to work
    photos: int
    photo_seconds: float
    p50: float
    p95: float
    simulated_p50: float
    simulated_p95: float


def forecast(stack: Stack, busy: float, seconds: float) -> dict[str, Any]:
    """Send photos at random moments, for a worker that takes one at a time, and simulate the same."""
    rate = busy / _photo_seconds(stack)
    sent = send_poisson(stack, rate, seconds, seed=round(100 * busy))
    until(lambda: {status for status, _, _ in _times(stack, sent)} <= ENDED, 180, "the end of all that was sent")
    times = sorted((queued, finished) for _, queued, finished in _times(stack, sent))
    taken = [finished - queued for queued, finished in times]
    pace = _photo_seconds(stack)
    outcome = simulate((queued for queued, _ in times), 1, linear(0.0, pace), most=1, rng=random.Random(1))
    return asdict(
        Forecast(
            busy, len(sent), pace, below(taken, 0.5), below(taken, 0.95), outcome.total(0.5), outcome.total(0.95),
        )
    )  # fmt: skip


def _photo_seconds(stack: Stack) -> float:
    return float(stack.rows("Worker.objects.filter(role='model').first().photo_seconds"))


def _times(stack: Stack, ids: list[str]) -> list[tuple[str, float, float]]:
    """Status, and the moments at which it was queued and ended, by analysis."""
    return [
        (status, queued, finished)
        for status, queued, finished in stack.rows(
            "[(status, queued.timestamp(), finished.timestamp() if finished else 0.0) for status, queued, finished in "
            f"Analysis.objects.filter(id__in={ids}).values_list('status', 'queued_at', 'finished_at')]"
        )
    ]
