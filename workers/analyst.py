"""One analysis from claim to end, without Celery: claim ▸ load ▸ batch ▸ finish."""

from __future__ import annotations

from contextlib import ExitStack
from uuid import UUID

import structlog
from django.db import Error as DatabaseUnavailable
from django.db import InterfaceError, OperationalError, close_old_connections, connection

from backend.analyses.selectors.status import PhotoQuality
from backend.analyses.services.attempt import (
    MAP_SIDE,
    Claim,
    Graded,
    analysis_claim,
    analysis_fail,
    analysis_give_back,
    analysis_is_suspect,
    analysis_put_off,
    analysis_reject,
    analysis_succeed,
    claim_photo,
    claim_progress,
)
from backend.operations.traces import span, span_past
from ml.errors import DeviceLost, ModelError, OutOfMemory, PhotoUnreadable
from ml.explanation import map_on_photo
from ml.predictor import Graded as Found
from ml.predictor import Prediction, Predictor
from ml.preprocessing import Prepared
from workers.batcher import Batcher, Draining
from workers.metrics import ATTEMPTS, PREPARE_SECONDS
from workers.room import Room

log = structlog.get_logger(__name__)

#: What a span says of an attempt, in the words of OpenTelemetry's conventions for messages.
PROCESSING = {
    "messaging.system": "celery",
    "messaging.destination.name": "photos",
    "messaging.operation.name": "process",
    "messaging.operation.type": "process",
}
#: Between two notes of an attempt's progress, also before the first: who waits looks about once a second, and a device
#: that does seven models in less need not wait for seven writes.
PROGRESS_SECONDS = 0.2
#: Storage or database are away, or full: whichever photo comes next would meet the same.
AWAY = (OSError, OperationalError, InterfaceError)


class Analyst:
    """Analyses photos with one predictor through one batcher, in the name of one worker."""

    def __init__(self, name: str, predictor: Predictor, batcher: Batcher) -> None:
        self.name = name
        self.predictor = predictor
        self.batcher = batcher
        self._held: set[Claim] = set()
        self._room = Room()

    def analyse(self, analysis_id: UUID) -> str:
        """Work on an analysis until it has ended or is not ours any more; a word on what happened.

        Whatever goes wrong here ends in a state of the row: a reason for its owner, or back in the queue. What can not
        even be written, as the database is away, the reaper takes back once the lease has lapsed.
        """
        outcome = self._analyse(analysis_id)
        ATTEMPTS.labels(outcome).inc()
        return outcome

    def _analyse(self, analysis_id: UUID) -> str:
        # A photo that may have ended a process before must not take others with it: they would use up their attempts.
        suspect = analysis_is_suspect(analysis_id)
        connection.close()  # There are more threads than connections: nobody keeps one while others are in the room.
        with self._room.alone() if suspect else self._room.together():
            claim = analysis_claim(analysis_id, worker=self.name)
            if claim is None:
                return "nothing_to_claim"
            self._held.add(claim)
            try:
                with structlog.contextvars.bound_contextvars(analysis=str(analysis_id), attempt=claim.attempt):
                    return self._traced(claim)
            finally:
                self._held.discard(claim)

    @property
    def held(self) -> frozenset[Claim]:
        """The claims that threads of this process work on now."""
        return frozenset(self._held.copy())

    def _traced(self, claim: Claim) -> str:
        """The attempt as a part of the trace that began when a person asked for it."""
        if claim.waited is not None:
            span_past("wait in queue", claim.waited, parent=claim.traceparent)
        with span("process photos", PROCESSING, kind="consumer", parent=claim.traceparent) as attempt:
            outcome = self._attempt(claim)
            attempt.note({"scalp.attempt": claim.attempt, "scalp.outcome": outcome})
            return outcome

    def _attempt(self, claim: Claim) -> str:
        try:
            photo, prediction = self._predict(claim)
            with span("finish"):
                return self._finish(claim, photo, prediction)
        except Draining:
            return _said(analysis_give_back(claim), "requeued_on_drain")
        except (PhotoUnreadable, FileNotFoundError):
            return _said(analysis_fail(claim, "photo_unreadable"), "failed")
        except OutOfMemory:
            return _said(analysis_fail(claim, "out_of_memory"), "failed")
        except (DeviceLost, OSError, DatabaseUnavailable) as error:
            log.warning("attempt_interrupted", cause=repr(error))
            close_old_connections()  # One that broke can't put it off.
            return _said(analysis_put_off(claim, counts=not isinstance(error, AWAY)), "requeued_after_outage")
        except ModelError:
            return _said(analysis_fail(claim, "model_error"), "failed")
        except Exception:
            log.exception("attempt_failed")
            return _said(analysis_fail(claim, "internal_error"), "failed")

    def _predict(self, claim: Claim) -> tuple[Prepared, Prediction | None]:
        with ExitStack() as until_ended:
            with self.batcher.expecting():
                with PREPARE_SECONDS.time(), span("prepare"):
                    photo = self.predictor.prepare(claim_photo(claim))
                inference = until_ended.enter_context(span("inference"))
                job = self.batcher.submit(photo, alone=claim.repeated)
            connection.close()  # Nor while the device works.
            try:
                for models_done in job.progress(PROGRESS_SECONDS):
                    if not claim_progress(claim, models_done=models_done):
                        job.cancel()
            except DatabaseUnavailable:
                job.cancel()  # Nobody is left to write the result.
                raise
            inference.link(job.batch_traceparent)
            return photo, job.result()

    def _finish(self, claim: Claim, photo: Prepared, prediction: Prediction | None) -> str:
        bundle, demo = self.predictor.bundle.reference, self.predictor.bundle.demo
        if prediction is None:
            return "lease_lost"
        if prediction.refusal is not None:
            return _said(analysis_reject(claim, prediction.refusal, bundle=bundle, demo=demo), "rejected")
        findings = [self._graded(found, photo) for found in prediction.findings]
        quality = PhotoQuality(photo.quality.brightness, photo.quality.contrast, photo.quality.sharpness)
        written = analysis_succeed(claim, findings, bundle=bundle, demo=demo, quality=quality)
        return _said(written, "succeeded")

    def _graded(self, found: Found, photo: Prepared) -> Graded:
        """A finding as the row keeps it; where a grader abstains, nothing is said of where it looked either."""
        seen = None
        if found.map is not None and not found.abstains:
            aspect = self.predictor.bundle.model(found.symptom).preprocessing.aspect
            seen = map_on_photo(found.map, aspect, photo.size, MAP_SIDE).tobytes()
        return Graded(found.symptom, found.grade, found.probabilities, found.confidence, found.abstention, seen)


def _said(written: bool, word: str) -> str:
    return word if written else "lease_lost"
