"""What polite senders wait alone, and beside one who sends all that the throttle lets through."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import requests

from tests.support.environment import until
from tests.support.stack import ENDED, Stack, scalp_photo

FLOODER = "10.255.0.1"


@dataclass(frozen=True)
class Waits:
    """Seconds between commit and claim of some analyses; `mean_seconds` is what a photo took the worker."""

    photos: int
    p50: float
    p95: float
    most: float
    photo_seconds: float

    @classmethod
    def of(cls, stack: Stack, ids: list[str]) -> Waits:
        """Read from the rows, once all of them have ended."""
        until(lambda: {status for status, _ in _times(stack, ids)} <= ENDED, 180, "the end of all that was sent")
        waits = sorted(wait for _, wait in _times(stack, ids))
        pace = stack.rows("Worker.objects.filter(role='model').first().photo_seconds")
        return cls(len(waits), quantile(waits, 0.5), quantile(waits, 0.95), waits[-1], pace)


def quantile(values: list[float], part: float) -> float:
    """The value below which this part of the sorted values lies, the nearest one."""
    return values[min(len(values) - 1, int(part * len(values)))]


def send_poisson(stack: Stack, rate: float, seconds: float, seed: int) -> list[str]:
    """Send photos at random moments, `rate` a second on average, each from an address of its own; the ids in order.

    The moments do not depend on the answers, as people come whether others wait or not.
    """
    rng, moments = random.Random(seed), [0.0]
    while moments[-1] < seconds:
        moments.append(moments[-1] + rng.expovariate(rate))
    photo, begun = scalp_photo(seed), time.monotonic()

    def send(number: int) -> str:
        answer = stack.submit(
            photo + number.to_bytes(4, "big"), headers={"X-Forwarded-For": f"10.1.{number // 256}.{number % 256}"}
        )
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    with ThreadPoolExecutor(32) as pool:
        sent = []
        for number, moment in enumerate(moments[1:]):
            time.sleep(max(0.0, begun + moment - time.monotonic()))
            sent.append(pool.submit(send, number))
        return [future.result() for future in sent]


def fairness(stack: Stack, rate: float, seconds: float) -> dict[str, object]:
    """Waits of polite senders alone, then beside a flooder; `accepted` is what the flooder got in."""
    alone = Waits.of(stack, send_poisson(stack, rate, seconds, seed=1))
    over, accepted = threading.Event(), 0

    def flood() -> None:
        nonlocal accepted
        photo = scalp_photo(2)
        with requests.Session() as session:
            while not over.is_set():
                answer = session.post(
                    f"{stack.url}/api/v1/analyses/",
                    files={"photo": ("photo.jpg", photo + random.randbytes(8), "image/jpeg")},
                    data={"sex": "male", "age": "20s", "consent": "true"},
                    headers={"X-Forwarded-For": FLOODER},
                    timeout=30,
                )
                accepted += answer.status_code == 202
                over.wait(
                    0.02 if answer.ok else 0.2
                )  # It does not obey Retry-After; it need not melt the machine either.

    flooder = threading.Thread(target=flood, daemon=True)
    flooder.start()
    try:
        sent = send_poisson(stack, rate, seconds, seed=1)
    finally:
        over.set()
        flooder.join(30)
    beside = Waits.of(stack, sent)
    return {"rate": rate, "alone": asdict(alone), "beside_a_flooder": asdict(beside), "flooder_accepted": accepted}


def _times(stack: Stack, ids: list[str]) -> list[tuple[str, float]]:
    """Status, and seconds from queued to started, by analysis."""
    return [
        (status, wait)
        for status, wait in stack.rows(
            "[(status, (started - queued).total_seconds() if started else 0.0) for status, queued, started in "
            f"Analysis.objects.filter(id__in={ids}).values_list('status', 'queued_at', 'started_at')]"
        )
    ]
