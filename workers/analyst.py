"""One analysis from claim to outcome, without Celery: claim ▸ load ▸ batch ▸ finish."""

from __future__ import annotations

from contextlib import ExitStack
from uuid import UUID

import structlog
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from opentelemetry.trace import SpanKind

from backend.analyses.grades import Grade
from backend.analyses.results import PhotoQuality
from backend.analyses.services.attempt import (
    MAP_SIDE,
    Claim,
    analysis_claim,
    analysis_fail,
    analysis_is_suspect,
    analysis_reject,
    analysis_requeue_after_outage,
    analysis_requeue_on_drain,
    analysis_succeed,
    claim_photo,
    claim_progress,
)
from backend.operations.task_names import PHOTOS_QUEUE
from backend.operations.tracing import add_link, span, span_past
from ml.activation_maps import map_on_photo
from ml.errors import DeviceLost, ModelError, OutOfMemory, PhotoUnreadable
from ml.predictor import Finding as Found
from ml.predictor import Prediction, Predictor
from ml.preprocessing import Prepared
from workers.batcher import Batcher, Draining
from workers.metrics import ATTEMPTS, PREPARE_SECONDS
from workers.rwlock import RWLock

log = structlog.get_logger(__name__)

#: Attributes of the span of an attempt, by OpenTelemetry's conventions for messaging.
PROCESS_ATTRIBUTES = {
    "messaging.system": "celery",
    "messaging.destination.name": PHOTOS_QUEUE,
    "messaging.operation.name": "process",
    "messaging.operation.type": "process",
}
#: Between two writes of an attempt's progress, and before the first: clients poll about once per second, and a fast
#: device need not cause seven writes.
PROGRESS_INTERVAL_SECONDS = 0.2
#: Outages of storage or database, which would hit any photo.
OUTAGES = (OSError, OperationalError, InterfaceError)


class Analyst:
    """Analyzes photos with one predictor and one batcher, for one worker."""

    def __init__(self, name: str, predictor: Predictor, batcher: Batcher) -> None:
        self.name = name
        self.predictor = predictor
        self.batcher = batcher
        self._held: set[Claim] = set()
        self._lock = RWLock()

    def analyze(self, analysis_id: UUID) -> str:
        """Work on an analysis until it ends or the lease is lost; returns the outcome, one of `metrics.OUTCOMES`.

        Every error ends in a state of the row: failed with a reason, or queued again. If not even that can be written
        because the database is unavailable, the reaper requeues the analysis when the lease expires.
        """
        outcome = self._claim_and_process(analysis_id)
        ATTEMPTS.labels(outcome).inc()
        return outcome

    def _claim_and_process(self, analysis_id: UUID) -> str:
        # A photo that may have crashed a worker runs alone: others would lose an attempt with it.
        suspect = analysis_is_suspect(analysis_id)
        connection.close()  # There are more threads than connections: none is held while waiting for the lock.
        with self._lock.exclusive() if suspect else self._lock.shared():
            claim = analysis_claim(analysis_id, worker=self.name)
            if claim is None:
                return "nothing_to_claim"
            self._held.add(claim)
            try:
                if claim.waited is not None:
                    span_past("wait in queue", claim.waited, parent=claim.traceparent)
                with (
                    structlog.contextvars.bound_contextvars(analysis=str(analysis_id), attempt=claim.attempt),
                    span(
                        "process photos", PROCESS_ATTRIBUTES, kind=SpanKind.CONSUMER, parent=claim.traceparent
                    ) as current,
                ):
                    outcome = self._attempt(claim)
                    current.set_attributes({"scalp.attempt": claim.attempt, "scalp.outcome": outcome})
                    return outcome
            finally:
                self._held.discard(claim)

    @property
    def held(self) -> frozenset[Claim]:
        """The claims that threads of this process are working on."""
        return frozenset(self._held.copy())

    def _attempt(self, claim: Claim) -> str:
        try:
            photo, prediction = self._predict(claim)
            return self._finish(claim, photo, prediction)
        except Draining:
            return _outcome(analysis_requeue_on_drain(claim), "requeued_on_drain")
        except (PhotoUnreadable, FileNotFoundError):
            return _outcome(analysis_fail(claim, "photo_unreadable"), "failed")
        except OutOfMemory:
            return _outcome(analysis_fail(claim, "out_of_memory"), "failed")
        except (DeviceLost, OSError, DatabaseError) as error:
            log.warning("attempt_interrupted", cause=repr(error))
            close_old_connections()  # A broken one could not requeue it.
            return _outcome(
                analysis_requeue_after_outage(claim, counts=not isinstance(error, OUTAGES)), "requeued_after_outage"
            )
        except ModelError:
            return _outcome(analysis_fail(claim, "model_error"), "failed")
        except Exception:
            log.exception("attempt_failed")
            return _outcome(analysis_fail(claim, "internal_error"), "failed")

    def _predict(self, claim: Claim) -> tuple[Prepared, Prediction | None]:
        with ExitStack() as until_ended:
            with self.batcher.expecting():
                with PREPARE_SECONDS.time(), span("prepare"):
                    photo = self.predictor.prepare(claim_photo(claim))
                inference = until_ended.enter_context(span("inference"))
                job = self.batcher.submit(photo, alone=claim.repeated)
            connection.close()  # None is held while the device works.
            try:
                for models_done in job.progress(PROGRESS_INTERVAL_SECONDS):
                    if not claim_progress(claim, models_done=models_done):
                        job.cancel()
            except DatabaseError:
                job.cancel()  # The result could not be written.
                raise
            add_link(inference, job.batch_traceparent)
            return photo, job.result()

    @span("finish")
    def _finish(self, claim: Claim, photo: Prepared, prediction: Prediction | None) -> str:
        bundle, demo = self.predictor.bundle.reference, self.predictor.bundle.demo
        if prediction is None:
            return "lease_lost"
        if prediction.rejection is not None:
            return _outcome(analysis_reject(claim, prediction.rejection, bundle=bundle, demo=demo), "rejected")
        findings = [self._graded(found, photo) for found in prediction.findings]
        quality = PhotoQuality(photo.quality.brightness, photo.quality.contrast, photo.quality.sharpness)
        written = analysis_succeed(claim, findings, bundle=bundle, demo=demo, quality=quality)
        return _outcome(written, "succeeded")

    def _graded(self, found: Found, photo: Prepared) -> Grade:
        """A finding as it is stored; without a map if the grader abstains."""
        heatmap = None
        if found.map is not None and not found.abstains:
            aspect = self.predictor.bundle.model(found.symptom).preprocessing.aspect
            heatmap = map_on_photo(found.map, aspect, photo.size, MAP_SIDE).tobytes()
        return Grade(found.symptom, found.grade, found.probabilities, found.confidence, found.abstention, heatmap)


def _outcome(written: bool, outcome: str) -> str:
    return outcome if written else "lease_lost"
