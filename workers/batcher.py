"""The batcher: many threads submit photos, one thread owns the device.

1. A thread submits a prepared photo and gets a `Job`.
2. The device thread takes waiting jobs, up to `max_batch`. If there are fewer, it waits for more, at most `max_wait`
   since the first one was submitted, and only while a thread expects to submit another. So with an empty queue a photo
   does not wait, and while a batch runs, the next one fills by itself.
3. It runs the seven models over the batch and updates the progress of each job; between two models it drops canceled
   jobs.
4. Out of memory: it halves the batch, down to one photo, which then fails alone. An error of one photo does not affect
   the others. A sticky device error fails all jobs, and the process must exit.

The device thread never waits for the database: each submitter follows its own job and writes its progress.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import structlog

from backend.operations.tracing import span_past, span_shared, traceparent
from ml.errors import DeviceLost, OutOfMemory
from ml.predictor import RUN_ORDER, Prediction, Prepared, Watch
from workers.metrics import BATCH_PHOTOS, BATCH_SECONDS, BATCH_WAIT_SECONDS, INFERENCE_SECONDS, MODEL_SECONDS

log = structlog.get_logger(__name__)


class Predicts(Protocol):
    """The part of a predictor that the batcher uses."""

    def predict(
        self, photos: Sequence[Prepared], watch: Watch | None = None, *, maps: bool = False
    ) -> list[Prediction | None]: ...


class Draining(Exception):
    """The batcher accepts no more work; the job has not started."""


class Job:
    """A photo in the batcher."""

    def __init__(self, photo: Prepared, *, alone: bool) -> None:
        self.photo = photo
        self.alone = alone
        self.submitted_at = time.monotonic()
        self.canceled = False
        #: The analysis in the submitter's log context, for log lines of the device thread.
        self.analysis: str | None = structlog.contextvars.get_contextvars().get("analysis")
        #: Of the span that submitted the photo, and of the span of its last batch.
        self.traceparent = traceparent()
        self.batch_traceparent: str | None = None
        self._changed = threading.Condition()
        self._models_done = 0
        self._ended = False
        self._prediction: Prediction | None = None
        self._error: Exception | None = None

    def cancel(self) -> None:
        """Drop out of the batch at the next model; the job then ends with None."""
        self.canceled = True

    def progress(self, pause: float = 0.0) -> Iterator[int]:
        """Yield the number of models done after each change, at most every `pause` seconds, until the job has ended.

        A slow reader skips numbers and never blocks the device.
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
        #: Recent seconds per photo: a moving average over about ten batches.
        self.photo_seconds: float | None = None
        self._waiting: deque[Job] = deque()
        self._expected = 0
        self._changed = threading.Condition()
        self._draining = False
        self._progressed_at: float | None = None
        self._thread = threading.Thread(target=self._loop, name="device", daemon=True)
        self._thread.start()

    @contextmanager
    def expecting(self) -> Iterator[None]:
        """Wraps the preparation of a photo: a batch that is not full may wait for its `submit`."""
        with self._changed:
            self._expected += 1
        try:
            yield
        finally:
            with self._changed:
                self._expected -= 1
                self._changed.notify_all()

    def submit(self, photo: Prepared, *, alone: bool = False) -> Job:
        """Submit a photo; `alone` gives it a batch of its own. Raises Draining."""
        job = Job(photo, alone=alone)
        with self._changed:
            if self._draining:
                raise Draining
            self._waiting.append(job)
            self._changed.notify_all()
        return job

    def drain(self) -> None:
        """Finish the running batch and refuse the jobs that have not started."""
        with self._changed:
            self._draining = True
            refused, self._waiting = list(self._waiting), deque()
            self._changed.notify_all()
        for job in refused:
            job.fail(Draining())

    def close(self, timeout: float | None = None) -> None:
        """Drain, and wait for the device thread to end."""
        self.drain()
        self._thread.join(timeout)

    @property
    def stalled_seconds(self) -> float:
        """Seconds since the running batch last finished a model; 0 if none is running."""
        progressed_at = self._progressed_at
        return 0.0 if progressed_at is None else time.monotonic() - progressed_at

    def _loop(self) -> None:
        while batch := self._next_batch():
            started = time.monotonic()
            for job in batch:
                BATCH_WAIT_SECONDS.observe(started - job.submitted_at)
            with _log_context(batch):
                self._run(batch)
                self._progressed_at = None
                seconds = time.monotonic() - started
                BATCH_PHOTOS.observe(len(batch))
                BATCH_SECONDS.observe(seconds)
                for _job in batch:
                    INFERENCE_SECONDS.observe(seconds)
                each = seconds / len(batch)
                self.photo_seconds = 0.8 * (self.photo_seconds or each) + 0.2 * each
                log.info("batch_done", photos=len(batch), seconds=round(seconds, 3))

    def _next_batch(self) -> list[Job]:
        """The jobs of the next batch; empty if the batcher is drained."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._draining)
            if self._waiting:
                left = self._waiting[0].submitted_at + self.max_wait - time.monotonic()
                self._changed.wait_for(self._is_ready, max(0.0, left))
            batch: list[Job] = []
            while self._waiting and len(batch) < self.max_batch:
                if batch and (self._waiting[0].alone or batch[0].alone):
                    break
                batch.append(self._waiting.popleft())
            return batch

    def _is_ready(self) -> bool:
        """Whether the next batch need not wait: it is full, no photo is expected, or the first one runs alone."""
        full = len(self._waiting) >= self.max_batch
        return self._draining or full or not self._expected or self._waiting[0].alone

    def _run(self, jobs: list[Job]) -> None:
        progressed_at = self._progressed_at = time.monotonic()

        def watch(models_done: int, indices: Sequence[int]) -> Collection[int]:
            nonlocal progressed_at
            before, progressed_at = progressed_at, time.monotonic()
            self._progressed_at = progressed_at
            model = RUN_ORDER[models_done - 1]
            MODEL_SECONDS.labels(model).observe(progressed_at - before)
            span_past(f"model {model}", progressed_at - before)
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
        """Retry in two halves, so that an error that one photo causes ends with that photo."""
        if len(jobs) == 1:
            jobs[0].fail(error)
            return
        middle = len(jobs) // 2
        for half in (jobs[:middle], jobs[middle:]):
            with _log_context(half):
                self._run(half)


def _log_context(jobs: Sequence[Job]) -> AbstractContextManager[None]:
    """Adds the analyses of these jobs to the log lines of the device thread."""
    return structlog.contextvars.bound_contextvars(analyses=[job.analysis for job in jobs if job.analysis])
