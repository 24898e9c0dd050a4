"""The batcher with a predictor by hand that does what a device may do: work, run out of memory, break, be lost."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from ml.errors import DeviceLost, ModelError, OutOfMemory
from ml.labels import MODEL_KEYS
from ml.predictor import Prediction, Watch
from workers.batcher import Batcher, Draining, Job

MODELS = len(MODEL_KEYS)


class Device:
    """Predicts photos that are plain numbers: the prediction's `scalp_probability` is the photo's own number.

    It notes every batch that it was given. `memory` is how many photos fit, `bad` are those that break a model,
    `large` those that never fit, `lost` those that
    the device does not survive. While `rest` is not set, it stands still after the first model.
    """

    def __init__(
        self, *, memory: int = 100, bad: Sequence[int] = (), large: Sequence[int] = (), lost: Sequence[int] = ()
    ) -> None:
        self.memory = memory
        self.large = set(large)
        self.bad = set(bad)
        self.lost = set(lost)
        self.batches: list[list[int]] = []
        self.begun = threading.Event()
        self.rest = threading.Event()
        self.rest.set()

    def predict(
        self, photos: Sequence[Any], watch: Watch | None = None, *, maps: bool = False
    ) -> list[Prediction | None]:
        assert watch is not None
        self.batches.append(list(photos))
        if len(photos) > self.memory or self.large.intersection(photos):
            raise OutOfMemory("no memory left for this batch")
        if self.lost.intersection(photos):
            raise DeviceLost("the device is gone")
        if self.bad.intersection(photos):
            raise ModelError("a model broke on this")
        going = list(range(len(photos)))
        for done in range(1, MODELS + 1):
            if going:
                going = list(watch(done, going))
            if done == 1:
                self.begun.set()
                assert self.rest.wait(30)
        return [Prediction(True, float(photo)) if n in going else None for n, photo in enumerate(photos)]


class Bench:
    """Makes batchers for a test and closes them behind it."""

    def __init__(self) -> None:
        self.batchers: list[Batcher] = []
        self.losses = 0

    def __call__(self, device: Device, *, max_batch: int = 8, max_wait: float = 0.0) -> Batcher:
        batcher = Batcher(device, max_batch=max_batch, max_wait=max_wait, device_lost=self._lose)
        self.batchers.append(batcher)
        return batcher

    def _lose(self) -> None:
        self.losses += 1


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    for batcher in made.batchers:
        batcher.close(30)
        assert not batcher._thread.is_alive()


def submit(batcher: Batcher, photo: int, *, alone: bool = False) -> Job:
    return batcher.submit(photo, alone=alone)  # type: ignore[arg-type]  # The device here takes numbers.


def together(batcher: Batcher, photos: Sequence[int]) -> list[Job]:
    """Photos that a thread said were on their way: a batch with room waits for all of them."""
    with batcher.expecting():
        return [submit(batcher, photo) for photo in photos]


def number(job: Job) -> float | None:
    """The number that came back for a photo; None for one that was canceled."""
    prediction = job.result()
    return None if prediction is None else prediction.scalp_probability


def error(job: Job) -> Exception:
    with pytest.raises(Exception) as raised:  # noqa: PT011
        job.result()
    return raised.value


def busy(device: Device, batcher: Batcher) -> Callable[[], Job]:
    """Keep the device busy with photo 0, so that what is handed in meanwhile waits together; call to go on."""
    device.rest.clear()
    job = submit(batcher, 0)
    assert device.begun.wait(30)

    def go_on() -> Job:
        device.rest.set()
        return job

    return go_on


# Batches


def test_each_photo_gets_its_own_prediction(bench: Bench) -> None:
    batcher = bench(Device())
    jobs = [submit(batcher, photo) for photo in range(20)]
    assert [number(job) for job in jobs] == list(range(20))


def test_what_waits_together_is_one_batch_of_at_most_max_batch_in_order(bench: Bench) -> None:
    device = Device()
    batcher = bench(device, max_batch=4)
    go_on = busy(device, batcher)
    jobs = [submit(batcher, photo) for photo in range(1, 7)]
    go_on()
    assert [number(job) for job in jobs] == [1, 2, 3, 4, 5, 6]
    assert device.batches == [[0], [1, 2, 3, 4], [5, 6]]


def test_a_photo_that_nobody_follows_does_not_wait(bench: Bench) -> None:
    device = Device()
    assert number(submit(bench(device, max_wait=3600.0), 7)) == 7
    assert device.batches == [[7]]


def test_a_batch_with_room_waits_for_a_photo_that_is_on_its_way(bench: Bench) -> None:
    device = Device()
    batcher = bench(device, max_wait=3600.0)
    with batcher.expecting():
        first = submit(batcher, 1)
        assert not device.begun.wait(0.1)
        second = submit(batcher, 2)
    assert [number(first), number(second)] == [1, 2]
    assert device.batches == [[1, 2]]


def test_a_batch_goes_when_the_photo_on_its_way_turns_out_to_be_unreadable(bench: Bench) -> None:
    device = Device()
    batcher = bench(device, max_wait=3600.0)
    with contextlib.suppress(OSError), batcher.expecting():
        job = submit(batcher, 1)
        raise OSError("unreadable")
    assert number(job) == 1
    assert device.batches == [[1]]


def test_a_batch_waits_until_the_last_of_several_is_there(bench: Bench) -> None:
    device = Device()
    batcher = bench(device, max_wait=3600.0)
    with batcher.expecting():
        jobs = together(batcher, [1, 2])
        jobs += together(batcher, [3])
        assert device.batches == []
    assert [number(job) for job in jobs] == [1, 2, 3]
    assert device.batches == [[1, 2, 3]]


def test_a_batch_that_is_full_does_not_wait_for_more(bench: Bench) -> None:
    device = Device()
    batcher = bench(device, max_batch=3, max_wait=3600.0)
    with batcher.expecting():
        jobs = [submit(batcher, photo) for photo in range(3)]
        assert [number(job) for job in jobs] == [0, 1, 2]
    assert device.batches == [[0, 1, 2]]


def test_nobody_waits_longer_than_max_wait_for_one_that_does_not_come(bench: Bench) -> None:
    device = Device()
    batcher = bench(device, max_wait=0.05)
    with batcher.expecting():
        assert number(submit(batcher, 7)) == 7
    assert device.batches == [[7]]


def test_one_that_is_to_be_alone_shares_no_batch_and_keeps_its_turn(bench: Bench) -> None:
    device = Device()
    batcher = bench(device)
    go_on = busy(device, batcher)
    jobs = [submit(batcher, photo, alone=photo == 3) for photo in range(1, 6)]
    go_on()
    assert [number(job) for job in jobs] == [1, 2, 3, 4, 5]
    assert device.batches == [[0], [1, 2], [3], [4, 5]]


def test_one_that_is_to_be_alone_does_not_wait_for_company(bench: Bench) -> None:
    batcher = bench(Device(), max_wait=3600.0)
    with batcher.expecting():
        assert number(submit(batcher, 7, alone=True)) == 7


def test_a_batch_of_one_at_a_time_is_possible(bench: Bench) -> None:
    device = Device()
    batcher = bench(device, max_batch=1, max_wait=3600.0)
    with batcher.expecting():
        assert [number(submit(batcher, photo)) for photo in range(3)] == [0, 1, 2]
    assert device.batches == [[0], [1], [2]]


# Progress and cancel


def test_progress_grows_up_to_seven_and_ends(bench: Bench) -> None:
    device = Device()
    batcher = bench(device)
    go_on = busy(device, batcher)
    job = submit(batcher, 1)
    progress = job.progress()
    go_on()
    seen = list(progress)
    assert seen == sorted(set(seen))
    assert all(1 <= done <= MODELS for done in seen)
    assert list(job.progress()) == []


def test_the_first_model_is_told_while_the_others_are_still_to_come(bench: Bench) -> None:
    device = Device()
    batcher = bench(device)
    device.rest.clear()
    job = submit(batcher, 1)
    assert next(job.progress()) == 1
    device.rest.set()
    assert number(job) == 1


def test_a_canceled_job_leaves_the_batch_and_the_others_go_on(bench: Bench) -> None:
    device = Device()
    batcher = bench(device, max_batch=3, max_wait=3600.0)
    device.rest.clear()
    jobs = together(batcher, range(3))
    assert device.begun.wait(30)
    jobs[1].cancel()
    device.rest.set()
    assert [number(job) for job in jobs] == [0, None, 2]
    assert len(device.batches) == 1


def test_progress_with_a_pause_says_nothing_of_a_job_that_ends_before(bench: Bench) -> None:
    job = submit(bench(Device()), 1)
    assert list(job.progress(3600.0)) == []
    assert number(job) == 1


def test_when_all_cancel_the_batch_ends(bench: Bench) -> None:
    device = Device()
    batcher = bench(device)
    go_on = busy(device, batcher)
    jobs = [submit(batcher, photo) for photo in (1, 2)]
    for job in jobs:
        job.cancel()
    assert number(go_on()) == 0
    assert [number(job) for job in jobs] == [None, None]


# Out of memory and other errors


@pytest.mark.parametrize("memory", [1, 2, 3, 5])
def test_a_batch_that_does_not_fit_is_halved_until_it_does(bench: Bench, memory: int) -> None:
    device = Device(memory=memory)
    batcher = bench(device, max_batch=8, max_wait=3600.0)
    jobs = together(batcher, range(8))
    assert [number(job) for job in jobs] == list(range(8))
    assert device.batches[0] == list(range(8))
    fitting = [batch for batch in device.batches if len(batch) <= memory]
    assert [photo for batch in fitting for photo in batch] == list(range(8))
    assert bench.losses == 0


def test_a_photo_that_does_not_even_fit_alone_fails_alone(bench: Bench) -> None:
    device = Device(memory=0)
    batcher = bench(device, max_batch=2, max_wait=3600.0)
    first, second = together(batcher, [1, 2])
    assert isinstance(error(first), OutOfMemory)
    assert isinstance(error(second), OutOfMemory)
    assert device.batches == [[1, 2], [1], [2]]
    device.memory = 2
    assert [number(job) for job in together(batcher, [3, 4])] == [3, 4]
    assert device.batches[3:] == [[3, 4]]
    assert bench.losses == 0


def test_one_photo_too_large_for_the_memory_does_not_touch_the_others(bench: Bench) -> None:
    device = Device(large=[2])
    batcher = bench(device, max_batch=4, max_wait=3600.0)
    jobs = together(batcher, range(4))
    assert isinstance(error(jobs.pop(2)), OutOfMemory)
    assert [number(job) for job in jobs] == [0, 1, 3]
    assert device.batches == [[0, 1, 2, 3], [0, 1], [2, 3], [2], [3]]
    assert bench.losses == 0


def test_a_job_that_was_canceled_stays_so_in_a_half(bench: Bench) -> None:
    device = Device(memory=1)
    batcher = bench(device, max_batch=2, max_wait=3600.0)
    with batcher.expecting():
        kept = submit(batcher, 1)
        canceled = submit(batcher, 2)
        canceled.cancel()
    assert (number(kept), number(canceled)) == (1, None)


@pytest.mark.parametrize("bad", [0, 3, 7])
def test_an_error_of_one_photo_does_not_touch_the_others(bench: Bench, bad: int) -> None:
    batcher = bench(Device(bad=[bad]), max_batch=8, max_wait=3600.0)
    jobs = together(batcher, range(8))
    assert isinstance(error(jobs.pop(bad)), ModelError)
    assert [number(job) for job in jobs] == [photo for photo in range(8) if photo != bad]
    assert bench.losses == 0


def test_progress_of_a_job_that_fails_ends_as_well(bench: Bench) -> None:
    job = submit(bench(Device(bad=[1])), 1)
    assert list(job.progress()) == []
    assert isinstance(error(job), ModelError)


def test_a_lost_device_fails_the_whole_batch_and_is_told_once(bench: Bench) -> None:
    device = Device(lost=[1])
    batcher = bench(device, max_batch=3, max_wait=3600.0)
    jobs = together(batcher, range(3))
    assert all(isinstance(error(job), DeviceLost) for job in jobs)
    batcher.close(30)
    assert bench.losses == 1
    assert device.batches == [[0, 1, 2]]  # Not tried again: the process has to be left.


# Draining


def test_draining_finishes_what_runs_and_refuses_what_has_not_begun(bench: Bench) -> None:
    device = Device()
    batcher = bench(device)
    go_on = busy(device, batcher)
    waiting = [submit(batcher, photo) for photo in (1, 2)]
    batcher.drain()
    assert all(isinstance(error(job), Draining) for job in waiting)
    with pytest.raises(Draining):
        submit(batcher, 3)
    assert number(go_on()) == 0
    batcher.close(30)
    assert device.batches == [[0]]


def test_a_batch_that_is_still_gathering_is_refused_when_draining(bench: Bench) -> None:
    device = Device()
    batcher = bench(device, max_wait=3600.0)
    with batcher.expecting():
        job = submit(batcher, 1)
        batcher.drain()
        assert isinstance(error(job), Draining)
    batcher.close(30)
    assert device.batches == []


def test_closing_twice_is_no_error(bench: Bench) -> None:
    batcher = bench(Device())
    batcher.close(30)
    batcher.close(30)


# What it says of itself


def test_it_knows_how_long_a_photo_took_only_after_one(bench: Bench) -> None:
    batcher = bench(Device())
    assert batcher.photo_seconds is None
    number(submit(batcher, 1))
    batcher.close(30)
    assert batcher.photo_seconds is not None
    assert batcher.photo_seconds > 0


def test_it_is_stalled_only_while_a_batch_runs(bench: Bench) -> None:
    device = Device()
    batcher = bench(device)
    assert batcher.stalled_seconds == 0
    go_on = busy(device, batcher)
    assert batcher.stalled_seconds > 0
    go_on()
    batcher.close(30)
    assert batcher.stalled_seconds == 0
