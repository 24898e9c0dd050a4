"""The model worker with points: `celery -A tests.chaos.parts.model worker …`."""

from __future__ import annotations

import os
import signal
from typing import Any

import ml.predictor
import workers.analyst
import workers.model
from ml.predictor import RUN_ORDER
from ml.runtimes.resident import ResidentModels
from tests.chaos.points import POISON, at, reached

app = workers.model.app

prepare, run = ml.predictor.prepare, ResidentModels._run


def prepare_or_die(*arguments: Any) -> Any:
    reached("preprocessing")
    prepared = prepare(*arguments)
    if prepared.size == POISON:
        os.kill(os.getpid(), signal.SIGKILL)
    return prepared


def run_with_a_point(self: ResidentModels, key: str, *arguments: Any) -> Any:
    if key == RUN_ORDER[3]:
        reached("between two models")
    return run(self, key, *arguments)


at(workers.analyst, "analysis_claim", before="claim")
at(workers.analyst, "claim_photo", before="load")
at(workers.analyst, "analysis_succeed", before="finish", after="finished")
ml.predictor.prepare = prepare_or_die
ResidentModels._run = run_with_a_point  # type: ignore[method-assign]
