"""Batch size and wait: measured on this device unless set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ml.errors import OutOfMemory

#: A larger batch must raise the photos per second by this factor, or it only makes photos wait longer.
MIN_GAIN = 1.05
#: Besides one batch on the device and one that fills: two photos that are being claimed or written.
EXTRA_THREADS = 2
#: Measuring may delay the start of a worker by this much.
MAX_MEASURING_SECONDS = 3.0
#: A photo waits for others at most for this share of the duration of a batch, and at most for this time.
MAX_WAIT_SHARE = 0.25
MAX_WAIT_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Batching:
    """`max_wait` is in seconds; `seconds` has the measured durations by batch size."""

    max_batch: int
    max_wait: float
    seconds: Mapping[int, float]

    @property
    def threads(self) -> int:
        """Enough threads to keep the device busy without claiming too many analyses."""
        return 2 * self.max_batch + EXTRA_THREADS


def choose_batching(
    seconds_for: Callable[[int], float],
    *,
    max_batch: int | None,
    max_wait: float | None,
    most: int,
    fewest: int = 1,
) -> Batching:
    """Choose the values that are None: the smallest batch size with nearly the highest throughput, and a wait for it.

    `seconds_for` runs a batch of this size and returns its duration; it may raise OutOfMemory. The batch size is
    between `fewest` and `most`; if they conflict, `most` wins. `max_wait`, in seconds, is 0 for batches of one.
    """
    fewest = min(fewest, most)
    seconds: dict[int, float] = {}
    if max_batch is None:
        seconds = _measure(seconds_for, fewest, most)
        max_batch = _smallest_near_best(seconds)
    if max_wait is None:
        max_wait = 0.0
        if max_batch > 1:
            seconds = seconds or _measure(seconds_for, 1, 1)
            longest = max((taken for photos, taken in seconds.items() if photos <= max_batch), default=0.0)
            max_wait = min(MAX_WAIT_SECONDS, MAX_WAIT_SHARE * longest)
    return Batching(max_batch, max_wait, seconds)


def _measure(seconds_for: Callable[[int], float], fewest: int, most: int) -> dict[int, float]:
    """Durations for `fewest` times 1, 2, 4, 8 …, as long as doubling pays, fits into memory and leaves time."""
    seconds: dict[int, float] = {}
    left, photos = MAX_MEASURING_SECONDS, fewest
    while photos <= most:
        try:
            runs = [seconds_for(photos)]
            if runs[0] < left / 2:  # The first run of a size may choose algorithms or record graphs.
                runs.append(seconds_for(photos))
        except OutOfMemory:
            break
        seconds[photos] = taken = min(runs)
        left -= sum(runs)
        gains = photos == fewest or 2 * seconds[photos // 2] > MIN_GAIN * taken
        if not gains or left < 2 * taken:
            break
        photos *= 2
    return seconds


def _smallest_near_best(seconds: Mapping[int, float]) -> int:
    best = max((photos / taken for photos, taken in seconds.items()), default=0.0)
    return min((photos for photos, taken in seconds.items() if MIN_GAIN * photos / taken >= best), default=1)
