"""One trace, from the request that sends a photo to the end of its attempt, over real processes."""

from __future__ import annotations

import io
import secrets
import signal
import time
from collections.abc import Iterator, Set
from pathlib import Path

import pytest
import requests

from backend.operations.circuit_breaker import RETRY_SECONDS
from ml.data.synthetic import scalp_picture
from ml.predictor import RUN_ORDER
from tests.support.collector import Collector, Silent, Span
from tests.support.environment import until
from tests.support.stack import Stack

pytestmark = pytest.mark.processes

UPLOAD = "POST /api/v1/analyses/"
#: Each span of a photo's way with that in which it stands.
PARENTS = {
    UPLOAD: None,
    "clean photo": UPLOAD,
    "send photos": UPLOAD,
    "wait in queue": UPLOAD,
    "process photos": UPLOAD,
    "prepare": "process photos",
    "inference": "process photos",
    "batch": "inference",
    **{f"model {key}": "batch" for key in RUN_ORDER},
    "finish": "process photos",
}
WEB = {UPLOAD, "clean photo", "send photos"}
#: The last that web and worker have to tell.
ENDS = frozenset({UPLOAD, "process photos"})

MARK, FILE_NAME, AGENT = "hair-whorl-7Q", "holiday-of-somebody-4K.jpg", "Telephone-of-somebody/8.1"
MAIL, ADDRESS = "somebody.private@mail.example", "203.0.113.77"
ANSWERS = {"sex": "undisclosed", "age": "80s", "device": "scope", "consent": "true"}
#: All that a span may say of what was done, and of where.
ATTRIBUTES = {
    "http.request.method", "http.route", "http.response.status_code", "error.type",
    "messaging.system", "messaging.destination.name", "messaging.operation.name", "messaging.operation.type",
    "scalp.attempt", "scalp.outcome", "scalp.photos",
}  # fmt: skip


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.close()


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory, small_bundle: Path, collector: Collector) -> Iterator[Stack]:
    """A service whose parts hand their spans to the collector, five times a second."""
    told = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    stack = Stack(tmp_path_factory.mktemp("traced"), small_bundle, **told)
    try:
        yield stack.up()
    finally:
        stack.down()


def send(stack: Stack) -> str:
    """Send a photo as a phone that tells a lot of its owner; the id of the analysis."""
    file = io.BytesIO()
    scalp_picture(secrets.randbits(16)).save(file, "JPEG", comment=MARK.encode())
    answer = requests.post(
        f"{stack.url}/api/v1/analyses/?from={MAIL}",
        files={"photo": (FILE_NAME, file.getvalue(), "image/jpeg")},
        data=ANSWERS,
        headers={
            "User-Agent": AGENT,
            "From": MAIL,
            "X-Forwarded-For": ADDRESS,
            "Idempotency-Key": f"{MAIL} {secrets.token_hex(4)}",
            "traceparent": f"00-{'5' * 32}-{'7' * 16}-01",
        },
        timeout=30,
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def whole_trace(stack: Stack, collector: Collector, analysis: str, ends: Set[str] = ENDS) -> list[Span]:
    """The trace of an analysis that has ended, by the id that the web has logged for it, once these spans are there."""
    stack.wait(analysis)
    (submitted,) = stack.lines("web", event="analysis_submitted", analysis=analysis)
    trace_id = submitted["trace_id"]
    until(lambda: ends <= {span.name for span in collector.trace(trace_id)}, 10, "the trace")
    return collector.trace(trace_id)


def test_one_photo_is_one_trace_from_the_upload_to_the_end_of_the_attempt(traced: Stack, collector: Collector) -> None:
    traced.stop("upkeep")  # A run of the reaper between the commit and its message would send one as well.
    analysis = send(traced)
    trace = whole_trace(traced, collector, analysis)
    traced.start("upkeep")
    assert traced.status(analysis)["status"] == "succeeded"
    names = {span.span_id: span.name for span in trace}
    assert {span.name: names.get(span.parent_id) for span in trace} == PARENTS
    assert [span.name for span in trace if not span.parent_id] == [UPLOAD]
    assert len(trace) == len(PARENTS)
    assert not [span.name for span in trace if span.failed]
    assert {span.service for span in trace if span.name in WEB} == {"scalpspectra-web"}
    assert {span.service for span in trace if span.name not in WEB} == {"scalpspectra-model"}

    named = {span.name: span for span in trace}
    kinds = {name: named[name].kind for name in (UPLOAD, "send photos", "process photos", "inference")}
    assert kinds == {
        UPLOAD: "server", "send photos": "producer", "process photos": "consumer", "inference": "internal",
    }  # fmt: skip
    assert named[UPLOAD].attributes["http.response.status_code"] == 202
    assert named["process photos"].attributes["scalp.outcome"] == "succeeded"
    models = sorted((span for span in trace if span.name.startswith("model ")), key=lambda span: span.ended)
    assert [span.name for span in models] == [f"model {key}" for key in RUN_ORDER]
    for before, after in (("clean photo", "wait in queue"), ("wait in queue", "finish"), ("prepare", "batch")):
        assert named[before].ended <= named[after].ended
    assert named["wait in queue"].ended <= named["prepare"].begun


def test_the_lines_of_web_and_worker_bear_the_id_of_the_trace(traced: Stack, collector: Collector) -> None:
    analysis = send(traced)
    trace_id = whole_trace(traced, collector, analysis)[0].trace_id
    until(lambda: traced.lines("model", event="analysis_succeeded", analysis=analysis), 5, "its last line")
    (ended,) = traced.lines("model", event="analysis_succeeded", analysis=analysis)
    assert ended["trace_id"] == trace_id


def test_nothing_of_photo_sender_or_answers_reaches_the_collector(traced: Stack, collector: Collector) -> None:
    analysis = send(traced)
    whole_trace(traced, collector, analysis)
    deleted = requests.delete(f"{traced.url}/api/v1/analyses/{analysis}/", headers={"User-Agent": AGENT}, timeout=30)
    assert deleted.status_code == 204
    erasure = "DELETE /api/v1/analyses/<uuid:analysis_id>/"
    until(lambda: collector.named(erasure), 10, "the span of the erasure")
    # The address of a report is the key to it.
    for mark in (
        MARK,
        FILE_NAME,
        AGENT,
        MAIL,
        ADDRESS,
        "5" * 32,
        *ANSWERS.values(),
        analysis,
        analysis.replace("-", ""),
    ):
        assert not [word for word in collector.words if mark in word], mark
    assert {key for span in collector.spans for key in span.attributes} <= ATTRIBUTES
    about = {
        pair.key
        for request in collector.requests
        for part in request.resource_spans
        for pair in part.resource.attributes
    }
    assert about == {
        "service.name", "service.instance.id", "telemetry.sdk.name", "telemetry.sdk.language", "telemetry.sdk.version",
    }  # fmt: skip


def test_a_batch_is_linked_with_the_photos_that_are_in_it(traced: Stack, collector: Collector) -> None:
    before = len(collector.named("batch"))
    traced.freeze_model()
    sent = [send(traced) for _ in range(8)]
    traced.kill("model", signal.SIGCONT)
    traces = [whole_trace(traced, collector, analysis) for analysis in sent]
    assert len({trace[0].trace_id for trace in traces}) == len(sent)
    inferences = {span.span_id: span for trace in traces for span in trace if span.name == "inference"}
    batches = collector.named("batch")[before:]
    assert sum(batch.attributes["scalp.photos"] for batch in batches) == len(sent)
    assert any(batch.attributes["scalp.photos"] > 1 for batch in batches)
    for batch in batches:
        assert batch.parent_id in inferences
        assert len(batch.links) == batch.attributes["scalp.photos"] - 1
        for linked in batch.links:
            assert inferences[linked].trace_id != batch.trace_id
            assert inferences[linked].links == (batch.span_id,)


def test_a_resent_message_belongs_to_the_same_trace(traced: Stack, collector: Collector) -> None:
    traced.kill("broker")
    analysis = send(traced)
    traced.start("broker")
    trace = whole_trace(traced, collector, analysis)
    traced.mend()
    trace_id = trace[0].trace_id

    def sends() -> list[tuple[str, bool]]:
        return [(span.service, span.failed) for span in collector.trace(trace_id) if span.name == "send photos"]

    until(lambda: len(sends()) > 1, 10, "the span of the second message")
    assert sends()[:2] == [("scalpspectra-web", True), ("scalpspectra-upkeep", False)]
    assert set(PARENTS) == {span.name for span in trace}
    time.sleep(RETRY_SECONDS)  # After its failure the web sends nothing for this long, and the next tests need it to.


def test_whoever_tries_again_begins_a_trace_of_their_own(traced: Stack, collector: Collector) -> None:
    traced.freeze_model()
    analysis = send(traced)
    for what in ("cancel", "retry"):
        assert requests.post(f"{traced.url}/api/v1/analyses/{analysis}/{what}/", timeout=30).status_code == 202
    traced.kill("model", signal.SIGCONT)
    first = whole_trace(traced, collector, analysis, {UPLOAD})
    (retried,) = traced.lines("web", event="analysis_retried", analysis=analysis)
    route = "POST /api/v1/analyses/<uuid:analysis_id>/retry/"
    ends = {route, "process photos"}
    until(lambda: ends <= {span.name for span in collector.trace(retried["trace_id"])}, 10, "its trace")
    again = collector.trace(retried["trace_id"])
    assert again[0].name == route
    assert {span.name for span in first} == WEB
    assert {span.name for span in again} - {again[0].name} == set(PARENTS) - {UPLOAD, "clean photo"}


@pytest.mark.parametrize("away", ["refuses", "is silent"])
def test_a_collector_that_is_away_holds_up_no_photo_and_no_end(tmp_path: Path, small_bundle: Path, away: str) -> None:
    silent = Silent()
    if away == "refuses":
        silent.close()
    stack = Stack(tmp_path, small_bundle, OTEL_EXPORTER_OTLP_ENDPOINT=silent.endpoint, OTEL_BSP_SCHEDULE_DELAY="200")
    try:
        stack.up()
        took = []
        for _ in range(10):
            begun = time.monotonic()
            analysis = send(stack)
            took.append(time.monotonic() - begun)
            assert stack.wait(analysis, 20)["status"] == "succeeded"
        assert sorted(took)[5] < 1.0
        for part in ("schedule", "web", "model", "upkeep"):
            begun = time.monotonic()
            stack.stop(part)
            ended = time.monotonic() - begun
            assert ended < 10.0, (part, ended)
    finally:
        stack.down()
        silent.close()
