"""The choice of a batch and its wait, from seconds that a device would take."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from ml.errors import DeviceLost, OutOfMemory
from workers.tuning import MAX_MEASURING_SECONDS, MAX_WAIT_SECONDS, choose_batching


class Clock:
    """A device of known speed that notes which batches it was asked for; those without seconds do not fit."""

    def __init__(self, seconds: Callable[[int], float] | Mapping[int, float]) -> None:
        self.seconds = seconds
        self.asked: list[int] = []
        self.spent = 0.0

    def __call__(self, photos: int) -> float:
        self.asked.append(photos)
        try:
            taken = self.seconds(photos) if callable(self.seconds) else self.seconds[photos]
        except KeyError:
            raise OutOfMemory("no memory left for this batch") from None
        self.spent += taken
        return taken


def one_by_one(photos: int) -> float:
    """A device that photos keep busy one at a time."""
    return 0.5 * photos


def wide(photos: int) -> float:
    """A device that takes as long for 16 photos as for one."""
    return 0.01 * max(1.0, photos / 16)


def test_a_device_that_gains_nothing_gets_one_at_a_time_and_no_wait() -> None:
    clock = Clock(one_by_one)
    chosen = choose_batching(clock, max_batch=None, max_wait=None, most=64)
    assert (chosen.max_batch, chosen.max_wait) == (1, 0)
    assert set(clock.asked) == {1, 2}


def test_a_wide_device_gets_the_smallest_batch_that_fills_it() -> None:
    clock = Clock(wide)
    chosen = choose_batching(clock, max_batch=None, max_wait=None, most=256)
    assert chosen.max_batch == 16
    assert max(clock.asked) == 32
    assert 0 < chosen.max_wait <= MAX_WAIT_SECONDS
    assert chosen.max_wait < chosen.seconds[16]


def test_a_gain_of_a_few_percent_is_not_worth_a_larger_batch() -> None:
    clock = Clock({1: 0.10, 2: 0.11, 4: 0.214, 8: 0.42})
    assert choose_batching(clock, max_batch=None, max_wait=None, most=8).max_batch == 2


def test_a_device_with_lanes_gets_as_many_photos_as_keep_them_all_busy() -> None:
    clock = Clock(one_by_one)
    assert choose_batching(clock, max_batch=None, max_wait=None, most=8, fewest=2).max_batch == 2
    assert 1 not in clock.asked
    assert choose_batching(clock, max_batch=None, max_wait=None, most=1, fewest=2).max_batch == 1


def test_no_batch_is_larger_than_threads_can_fill() -> None:
    clock = Clock(wide)
    assert choose_batching(clock, max_batch=None, max_wait=None, most=6).max_batch == 4
    assert max(clock.asked) == 4


def test_what_does_not_fit_the_memory_is_not_chosen() -> None:
    clock = Clock({1: 0.01, 2: 0.01, 4: 0.01})
    assert choose_batching(clock, max_batch=None, max_wait=None, most=64).max_batch == 4
    assert clock.asked[-1] == 8


def test_a_device_on_which_not_even_one_fits_gets_one_at_a_time() -> None:
    chosen = choose_batching(Clock({}), max_batch=None, max_wait=None, most=64)
    assert (chosen.max_batch, chosen.max_wait) == (1, 0)


def test_a_lost_device_is_no_matter_of_size() -> None:
    def lost(photos: int) -> float:
        raise DeviceLost("gone")

    with pytest.raises(DeviceLost):
        choose_batching(lost, max_batch=None, max_wait=None, most=64)


@pytest.mark.parametrize("seconds", [0.1, 0.5, 1.0, 1.4, 2.0, 10.0])
def test_measuring_does_not_hold_up_the_start_of_a_slow_device(seconds: float) -> None:
    clock = Clock(lambda photos: seconds * photos)
    assert choose_batching(clock, max_batch=None, max_wait=None, most=64).max_batch == 1
    assert clock.spent <= max(MAX_MEASURING_SECONDS, seconds) + seconds


def test_what_was_set_is_not_measured() -> None:
    clock = Clock(one_by_one)
    chosen = choose_batching(clock, max_batch=8, max_wait=0.5, most=64)
    assert (chosen.max_batch, chosen.max_wait, dict(chosen.seconds), clock.asked) == (8, 0.5, {}, [])


def test_a_batch_that_was_set_still_gets_a_wait_that_suits_the_device() -> None:
    clock = Clock(one_by_one)
    chosen = choose_batching(clock, max_batch=1024, max_wait=None, most=64)
    assert (chosen.max_batch, chosen.max_wait) == (1024, MAX_WAIT_SECONDS)
    assert set(clock.asked) == {1}
    assert choose_batching(clock, max_batch=1, max_wait=None, most=64).max_wait == 0


def test_a_wait_that_was_set_holds_for_the_batch_that_is_chosen() -> None:
    assert choose_batching(Clock(wide), max_batch=None, max_wait=0.25, most=64).max_wait == 0.25


def test_threads_suffice_for_one_running_and_one_gathering_batch() -> None:
    chosen = choose_batching(Clock(wide), max_batch=None, max_wait=None, most=64)
    assert chosen.threads > 2 * chosen.max_batch
    assert choose_batching(Clock(one_by_one), max_batch=None, max_wait=None, most=64).threads <= 4
