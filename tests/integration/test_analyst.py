"""One analysis from claim to end without Celery: a real predictor, a real batcher, real rows and files."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError, connection, connections
from PIL import Image, ImageFilter

from backend.analyses.models import Analysis, Finding, Human
from backend.analyses.services.attempt import MAP_SIDE, Claim, claim_photo
from backend.analyses.services.control import analysis_cancel, analysis_erase
from backend.analyses.services.submission import analysis_submit
from ml.build.from_seeds import build_seeded_bundle
from ml.bundle import Bundle
from ml.data.synthetic import scalp_picture
from ml.errors import DeviceLost, OutOfMemory
from ml.labels import SYMPTOMS
from ml.predictor import Prediction, Predictor, Prepared, Watch
from ml.preprocessing import open_photo
from ml.quality import measure
from tests.support.ml_bundles import alter_model, copy_bundle
from tests.support.stack import scalp_photo
from tests.support.threads import at_once
from workers.analyst import Analyst
from workers.batcher import Batcher

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def predictor(small_bundle: Path) -> Predictor:
    return Predictor(Bundle.open(small_bundle), "cpu")


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """A predictor whose gate lets nothing pass."""
    folder = tmp_path_factory.mktemp("bundles") / "refusing"
    build_seeded_bundle(folder, architecture="efficientnet-b0", image_size=64, seed=1, gate_threshold=1.01)
    return Predictor(Bundle.open(folder), "cpu")


def analyst_with(predictor: Predictor) -> Analyst:
    return Analyst("model@here", predictor, Batcher(predictor, max_batch=4, max_wait=0.0, device_lost=lambda: None))


@pytest.fixture
def analyst(predictor: Predictor) -> Iterator[Analyst]:
    analyst = analyst_with(predictor)
    yield analyst
    analyst.batcher.close(10)


def submitted() -> Analysis:
    return analysis_submit({"sex": "male", "age": "20s", "consent": "true"}, photo=scalp_photo(3))


class Between(Predictor):
    """The predictor, with something that happens after the model of a given number."""

    def __init__(self, predictor: Predictor, after: int, happens: object) -> None:
        self.__dict__.update(predictor.__dict__)
        self.after = after
        self.happens = happens

    def predict(  # type: ignore[override]
        self, photos: list[Prepared], watch: Watch | None = None, *, maps: bool = False
    ) -> list[Prediction | None]:
        def watching(models_done: int, indices: object) -> object:
            if models_done == self.after:
                self.happens()  # type: ignore[operator]
            return watch(models_done, indices)  # type: ignore[misc,arg-type]

        return super().predict(photos, watching, maps=maps)  # type: ignore[arg-type]


def test_an_analysis_succeeds_with_six_findings_and_a_human(analyst: Analyst) -> None:
    analysis = submitted()
    assert analyst.analyze(analysis.id) == "succeeded"
    analysis.refresh_from_db()
    assert (analysis.status, analysis.models_done, analysis.bundle) == ("succeeded", 7, "demo@1.0.0")
    assert analysis.human is not None
    assert analysis.findings.count() == 6
    assert not analyst.held


def test_a_success_stores_the_activation_maps_and_the_photo_quality(analyst: Analyst) -> None:
    analysis = submitted()
    analyst.analyze(analysis.id)
    for finding in Finding.objects.filter(analysis=analysis):
        assert not finding.abstains
        seen = bytes(finding.map)
        assert (len(seen), min(seen), max(seen)) == (MAP_SIDE**2, 0, 255)
    analysis.refresh_from_db()
    measured = measure(open_photo(scalp_photo(3)))
    assert analysis.brightness == pytest.approx(measured.brightness, abs=0.02)
    assert analysis.contrast == pytest.approx(measured.contrast, abs=0.02)
    assert analysis.sharpness == pytest.approx(measured.sharpness, rel=0.1)


def test_a_grader_that_abstains_leaves_no_map(small_bundle: Path, tmp_path: Path) -> None:
    folder = copy_bundle(Bundle.open(small_bundle), tmp_path / "unsure")
    alter_model(folder, "dandruff", threshold=1.0)
    analyst, analysis = analyst_with(Predictor(Bundle.open(folder), "cpu")), submitted()
    assert analyst.analyze(analysis.id) == "succeeded"
    analyst.batcher.close(10)
    unmapped = Finding.objects.filter(analysis=analysis, map=None)
    assert [(finding.symptom, finding.abstains) for finding in unmapped] == [("dandruff", True)]
    assert [finding.abstention for finding in unmapped] == ["unsure"]


def test_a_grader_that_is_not_rated_decides_nothing(small_bundle: Path, tmp_path: Path) -> None:
    folder = copy_bundle(Bundle.open(small_bundle), tmp_path / "unrated")
    for symptom in SYMPTOMS:
        alter_model(folder, symptom.key, rated=False)
    analyst, analysis = analyst_with(Predictor(Bundle.open(folder), "cpu")), submitted()
    assert analyst.analyze(analysis.id) == "succeeded"
    analyst.batcher.close(10)
    findings = Finding.objects.filter(analysis=analysis)
    assert [(finding.abstention, finding.map) for finding in findings] == [("unproven", None)] * 6
    assert any(finding.grade for finding in findings)
    human = Human.objects.get()
    assert (human.skin, human.pred) == ("양호", "양호")


def test_a_second_message_finds_nothing_to_claim(analyst: Analyst) -> None:
    analysis = submitted()
    assert analyst.analyze(analysis.id) == "succeeded"
    assert analyst.analyze(analysis.id) == "nothing_to_claim"
    assert Human.objects.count() == 1


def test_a_photo_that_shows_no_scalp_is_rejected_with_a_reason(refusing: Predictor) -> None:
    analyst, analysis = analyst_with(refusing), submitted()
    assert analyst.analyze(analysis.id) == "rejected"
    analyst.batcher.close(10)
    analysis.refresh_from_db()
    assert (analysis.status, analysis.code, analysis.human) == ("rejected", "not_a_scalp", None)
    assert not Finding.objects.exists()


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda photo: photo.point(lambda level: level * 0.05), "too_dark"),
        (lambda photo: photo.point(lambda level: level * 4), "too_bright"),
        (lambda photo: photo.filter(ImageFilter.GaussianBlur(12)), "too_blurred"),
    ],
)
def test_an_unusable_photo_is_rejected_with_the_reason(
    analyst: Analyst, spoil: Callable[[Image.Image], Image.Image], code: str
) -> None:
    file = io.BytesIO()
    spoil(scalp_picture(3)).save(file, "JPEG")
    analysis = analysis_submit({"sex": "male", "age": "20s", "consent": "true"}, photo=file.getvalue())
    assert analyst.analyze(analysis.id) == "rejected"
    analysis.refresh_from_db()
    assert (analysis.status, analysis.code, analysis.human) == ("rejected", code, None)


def test_a_photo_that_can_not_be_read_any_more_fails_with_that_reason(analyst: Analyst) -> None:
    analysis = submitted()
    default_storage.delete(analysis.photo)
    assert analyst.analyze(analysis.id) == "failed"
    analysis.refresh_from_db()
    assert (analysis.status, analysis.code) == ("failed", "photo_unreadable")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (OutOfMemory("none left"), "failed", "out_of_memory"),
        (DeviceLost("gone"), "queued", ""),
        (OSError("storage is away"), "queued", ""),
        (ZeroDivisionError("a bug"), "failed", "internal_error"),
    ],
)
def test_each_error_ends_in_a_state_of_the_row(predictor: Predictor, error: Exception, status: str, code: str) -> None:
    def fail() -> None:
        raise error

    analyst, analysis = analyst_with(Between(predictor, 3, fail)), submitted()
    analyst.analyze(analysis.id)
    analyst.batcher.drain()
    analysis.refresh_from_db()
    assert (analysis.status, analysis.code) == (status, code)
    assert not Human.objects.exists()


@pytest.mark.parametrize(
    ("error", "tries"),
    [(DeviceLost("gone"), 1), (OSError("storage is away"), 0), (OperationalError("the disk is full"), 0)],
)
def test_only_what_a_photo_can_be_to_blame_for_counts_as_an_attempt(
    predictor: Predictor, error: Exception, tries: int
) -> None:
    def fail() -> None:
        raise error

    analyst, analysis = analyst_with(Between(predictor, 3, fail)), submitted()
    assert analyst.analyze(analysis.id) == "requeued_after_outage"
    analyst.batcher.drain()
    analysis.refresh_from_db()
    assert (analysis.status, analysis.attempt, analysis.attempt - analysis.attempts_before) == ("queued", 1, tries)


def test_a_result_that_cannot_be_written_is_left_to_the_next_attempt(analyst: Analyst) -> None:
    def full(execute: Any, sql: str, *told: Any) -> Any:
        if sql.startswith('INSERT INTO "human"'):
            raise OperationalError("the disk is full")
        return execute(sql, *told)

    analysis = submitted()
    with connection.execute_wrapper(full):
        assert analyst.analyze(analysis.id) == "requeued_after_outage"
    analysis.refresh_from_db()
    assert (analysis.status, analysis.attempt - analysis.attempts_before) == ("queued", 0)
    assert analyst.analyze(analysis.id) == "succeeded"
    assert (Human.objects.count(), Finding.objects.count()) == (1, 6)


def test_a_photo_whose_attempt_ended_silently_is_analyzed_alone(
    analyst: Analyst, monkeypatch: pytest.MonkeyPatch
) -> None:
    together: dict[UUID, int] = {}

    def slowly(claim: Claim) -> bytes:
        time.sleep(0.2)
        together[claim.analysis_id] = len(analyst.held)
        return claim_photo(claim)

    monkeypatch.setattr("workers.analyst.claim_photo", slowly)
    suspect, *others = [submitted() for _ in range(5)]
    Analysis.objects.filter(pk=suspect.pk).update(attempt=1)
    calls = [partial(analyst.analyze, one.id) for one in (suspect, *others)]
    assert at_once(*calls) == ["succeeded"] * 5
    assert together.pop(suspect.id) == 1
    assert max(together.values()) > 1


def test_waiting_for_a_suspect_photo_holds_no_database_connection(
    analyst: Analyst, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspect, other = submitted(), submitted()
    Analysis.objects.filter(pk=suspect.pk).update(attempt=1)
    of_who_waits: list[Any] = []
    kept: list[Any] = []

    def wait() -> str:
        of_who_waits.append(connections["default"])
        return analyst.analyze(other.id)

    with ThreadPoolExecutor(1) as pool:

        def meanwhile(claim: Claim) -> bytes:
            if claim.analysis_id == suspect.pk:
                waits.append(pool.submit(wait))
                time.sleep(0.5)
                kept.append(of_who_waits[0].connection)
            return claim_photo(claim)

        waits: list[Future[str]] = []
        monkeypatch.setattr("workers.analyst.claim_photo", meanwhile)
        assert analyst.analyze(suspect.id) == "succeeded"
        assert waits[0].result() == "succeeded"
        pool.submit(connections.close_all).result()
    assert kept == [None]


@pytest.mark.parametrize("act", [analysis_cancel, analysis_erase])
def test_cancel_and_erase_are_obeyed_between_two_models(predictor: Predictor, act: object) -> None:
    analysis = submitted()
    between = Between(predictor, 2, lambda: act(analysis.id))  # type: ignore[operator]
    analyst = analyst_with(between)
    assert analyst.analyze(analysis.id) == "lease_lost"
    analyst.batcher.close(10)
    assert not Human.objects.exists()
    assert not Finding.objects.exists()


def test_a_draining_worker_gives_back_without_counting_the_attempt(analyst: Analyst) -> None:
    analysis = submitted()
    analyst.batcher.drain()
    assert analyst.analyze(analysis.id) == "requeued_on_drain"
    analysis.refresh_from_db()
    assert (analysis.status, analysis.attempt - analysis.attempts_before) == ("queued", 0)
