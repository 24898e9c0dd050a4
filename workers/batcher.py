"""The batcher: many threads hand in photos, one thread owns the device.

1. A thread submits a prepared photo and gets a `Job`.
2. The device's thread takes the jobs that wait, up to `max_batch` of them. Short of that it waits for more, at most
   `max_wait` from when the first one came, and only while a thread says that a photo is about to be submitted. So a
   photo at an idle queue waits for nobody; while a batch runs, photos gather by themselves.
3. It runs the seven models over the batch, and tells each job how many are done; between two models it leaves
   out the jobs that were canceled.
4. Out of memory: it halves the batch, down to one photo, which then fails alone. An error of one photo does
   not touch the others. A sticky device error fails all, and the process must leave.

The device's thread never waits for the database: each submitter follows its own job and writes what it reads.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import structlog

from backend.operations.traces import span_past, span_shared, traceparent
from ml.errors import DeviceLost, OutOfMemory
from ml.predictor import RUN_ORDER, Prediction, Prepared, Watch
from workers.metrics import BATCH_PHOTOS, BATCH_SECONDS, BATCH_WAIT_SECONDS, INFERENCE_SECONDS, MODEL_SECONDS

log = structlog.get_logger(__name__)


class Predicts(Protocol):
    """What the batcher needs of a predictor."""

    def predict(
        self, photos: Sequence[Prepared], watch: Watch | None = None, *, maps: bool = False
    ) -> list[Prediction | None]: ...


class Draining(Exception):
    """The batcher takes no more work; the job was not begun."""


class Job:
    """One photo on its way through the batcher."""

    def __init__(self, photo: Prepared, *, alone: bool) -> None:
        self.photo = photo
        self.alone = alone
        self.submitted_at = time.monotonic()
        self.canceled = False
        #: What the submitter's log lines are about, for those that the device's thread writes of its photo.
        self.about: str | None = structlog.contextvars.get_contextvars().get("analysis")
        #: Of the span in which the photo was submitted, and of that of the batch in which it was last.
        self.traceparent = traceparent()
        self.batch_traceparent: str | None = None
        self._changed = threading.Condition()
        self._models_done = 0
        self._ended = False
        self._prediction: Prediction | None = None
        self._error: Exception | None = None

    def cancel(self) -> None:
        """Leave the batch at the next model; the job then ends with None."""
        self.canceled = True

    def progress(self, pause: float = 0.0) -> Iterator[int]:
        """Yield the number of models done when it has changed and `pause` seconds have passed, until the job has ended.

        A slow reader skips numbers, it never holds up the device.
        """
        seen = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ended, pause)
                while self._models_done == seen and not self._ended:
                    self._changed.wait()
                if self._ended:
                    return
                seen = self._models_done
            yield seen

    def result(self) -> Prediction | None:
        """The prediction of a job that has ended, None if it was canceled. Raises what the models raised."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended)
        if self._error:
            raise self._error
        return self._prediction

    def advance(self, models_done: int) -> None:
        with self._changed:
            self._models_done = models_done
            self._changed.notify_all()

    def end(self, prediction: Prediction | None) -> None:
        with self._changed:
            self._prediction, self._ended = prediction, True
            self._changed.notify_all()

    def fail(self, error: Exception) -> None:
        with self._changed:
            self._error, self._ended = error, True
            self._changed.notify_all()


class Batcher:
    """Owns the device. `max_wait` in seconds; `device_lost` is called after a sticky error."""

    def __init__(
        self, predictor: Predicts, *, max_batch: int, max_wait: float, device_lost: Callable[[], None]
    ) -> None:
        self.predictor = predictor
        self.max_batch = max_batch
        self.max_wait = max_wait
        self.device_lost = device_lost
        #: Seconds that a photo lately took its share of a batch: a moving average over some ten batches.
        self.photo_seconds: float | None = None
        self._waiting: deque[Job] = deque()
        self._expected = 0
        self._came = threading.Condition()
        self._draining = False
        self._moved_at: float | None = None
        self._thread = threading.Thread(target=self._loop, name="device", daemon=True)
        self._thread.start()

    @contextmanager
    def expecting(self) -> Iterator[None]:
        """Around all that leads to a `submit` by this thread: a batch that is not full may wait for it."""
        with self._came:
            self._expected += 1
        try:
            yield
        finally:
            with self._came:
                self._expected -= 1
                self._came.notify_all()

    def submit(self, photo: Prepared, *, alone: bool = False) -> Job:
        """Hand in a photo; `alone` keeps it out of the batches of others. Raises Draining."""
        job = Job(photo, alone=alone)
        with self._came:
            if self._draining:
                raise Draining
            self._waiting.append(job)
            self._came.notify_all()
        return job

    def drain(self) -> None:
        """Finish the batch that runs and refuse the jobs that have not begun."""
        with self._came:
            self._draining = True
            refused, self._waiting = list(self._waiting), deque()
            self._came.notify_all()
        for job in refused:
            job.fail(Draining())

    def close(self, timeout: float | None = None) -> None:
        """Drain, and wait for the device's thread to end."""
        self.drain()
        self._thread.join(timeout)

    @property
    def stalled_seconds(self) -> float:
        """Seconds since the batch that runs last moved on by a model; 0 when none runs."""
        moved_at = self._moved_at
        return 0.0 if moved_at is None else time.monotonic() - moved_at

    def _loop(self) -> None:
        while batch := self._next_batch():
            begun = time.monotonic()
            for job in batch:
                BATCH_WAIT_SECONDS.observe(begun - job.submitted_at)
            with _about(batch):
                self._run(batch)
                self._moved_at = None
                seconds = time.monotonic() - begun
                BATCH_PHOTOS.observe(len(batch))
                BATCH_SECONDS.observe(seconds)
                for _job in batch:
                    INFERENCE_SECONDS.observe(seconds)
                each = seconds / len(batch)
                self.photo_seconds = 0.8 * (self.photo_seconds or each) + 0.2 * each
                log.info("batch_done", photos=len(batch), seconds=round(seconds, 3))

    def _next_batch(self) -> list[Job]:
        """The next jobs to run together; empty when there will be none any more."""
        with self._came:
            self._came.wait_for(lambda: self._waiting or self._draining)
            if self._waiting:
                left = self._waiting[0].submitted_at + self.max_wait - time.monotonic()
                self._came.wait_for(self._gathered, max(0.0, left))
            batch: list[Job] = []
            while self._waiting and len(batch) < self.max_batch:
                if batch and (self._waiting[0].alone or batch[0].alone):
                    break
                batch.append(self._waiting.popleft())
            return batch

    def _gathered(self) -> bool:
        """Whether there is nothing to wait for: no place in the batch, no photo on its way, or no use for one."""
        full = len(self._waiting) >= self.max_batch
        return self._draining or full or not self._expected or self._waiting[0].alone

    def _run(self, jobs: list[Job]) -> None:
        moved_at = self._moved_at = time.monotonic()

        def watch(models_done: int, indices: Sequence[int]) -> Collection[int]:
            nonlocal moved_at
            before, moved_at = moved_at, time.monotonic()
            self._moved_at = moved_at
            model = RUN_ORDER[models_done - 1]
            MODEL_SECONDS.labels(model).observe(moved_at - before)
            span_past(f"model {model}", moved_at - before)
            for index in indices:
                jobs[index].advance(models_done)
            return [index for index in indices if not jobs[index].canceled]

        try:
            with span_shared("batch", [job.traceparent for job in jobs], {"scalp.photos": len(jobs)}):
                for job in jobs:
                    job.batch_traceparent = traceparent()
                predictions = self.predictor.predict([job.photo for job in jobs], watch, maps=True)
        except OutOfMemory as error:
            log.warning("out_of_memory", photos=len(jobs))
            self._halve(jobs, error)
        except DeviceLost as error:
            log.error("device_lost", cause=repr(error))
            for job in jobs:
                job.fail(error)
            self.device_lost()
        except Exception as error:
            log.exception("batch_failed", photos=len(jobs))
            self._halve(jobs, error)
        else:
            for job, prediction in zip(jobs, predictions, strict=True):
                job.end(prediction)

    def _halve(self, jobs: list[Job], error: Exception) -> None:
        """Try again in two halves, so that what only one photo is to blame for ends with that photo."""
        if len(jobs) == 1:
            jobs[0].fail(error)
            return
        middle = len(jobs) // 2
        for half in (jobs[:middle], jobs[middle:]):
            with _about(half):
                self._run(half)


def _about(jobs: Sequence[Job]) -> AbstractContextManager[None]:
    """Every line of the device's thread names the analyses whose photos it is at."""
    return structlog.contextvars.bound_contextvars(analyses=[job.about for job in jobs if job.about])
