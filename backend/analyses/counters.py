"""Prometheus counters and histograms of analyses."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

from backend.analyses.reasons import REASONS, REJECTIONS
from backend.analyses.states import Status
from backend.operations.counters import registry
from ml.labels import SYMPTOMS

ABSTAINED = "abstained"
#: From a tenth of a second to an hour, behind a long queue.
_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)

SUBMITTED = Counter("scalp_analyses_submitted", "Analyses accepted.", registry=registry)
QUEUE_FULL = Counter("scalp_queue_full", "Photos refused because the queue is full.", registry=registry)
ENQUEUED = Counter("scalp_enqueue", "Messages to the workers, by result.", ["result"], registry=registry)
ENDED = Counter(
    "scalp_analyses_ended", "Analyses that ended, by status and reason.", ["status", "code"], registry=registry
)
FINDINGS = Counter("scalp_findings", "Findings by symptom and grade 0 to 3.", ["symptom", "grade"], registry=registry)
QUEUE_WAIT_SECONDS = Histogram(
    "scalp_queue_wait_seconds", "From the queue to the first attempt.", buckets=_SECONDS, registry=registry
)
END_TO_END_SECONDS = Histogram(
    "scalp_end_to_end_seconds", "From the queue to the end, by a worker.", buckets=_SECONDS, registry=registry
)

# Created at the start: Prometheus sees no increase in the first sample of a series.
for _result in ("sent", "failed"):
    ENQUEUED.labels(_result)
for _status, _code in (
    (Status.SUCCEEDED, ""),
    (Status.CANCELED, ""),
    (Status.EXPIRED, "waited_too_long"),
    *((Status.REJECTED, code) for code in REJECTIONS),
    *((Status.FAILED, code) for code in (*REASONS, "internal_error") if code not in (*REJECTIONS, "waited_too_long")),
):
    ENDED.labels(_status, _code)
for _symptom in SYMPTOMS:
    for _grade in (*range(4), ABSTAINED):
        FINDINGS.labels(_symptom.key, _grade)
