"""What the owner of an analysis may ask: cancel, try again, erase. The API's tests tell the rest."""

from __future__ import annotations

from typing import Any

import pytest

from backend.analyses.errors import AnalysisErased, NotRetryable, PhotoGone
from backend.analyses.models import Analysis, Erasure
from backend.analyses.services.attempt import analysis_fail, analysis_requeue_after_outage
from backend.analyses.services.control import analysis_cancel, analysis_erase, analysis_retry
from tests.support.analyses import claimed, failed, fresh, past_retention, queued, succeeded
from tests.support.threads import at_once

pytestmark = [pytest.mark.database, pytest.mark.django_db, pytest.mark.usefixtures("storage", "broker")]


def code_of(act: Any, analysis: Analysis) -> str:
    """`done`, or the code of the refusal."""
    try:
        act(analysis.id)
    except (AnalysisErased, NotRetryable, PhotoGone) as error:
        return error.code
    return "done"


def test_a_retry_has_attempts_of_its_own_and_a_number_that_goes_on(settings: Any) -> None:
    analysis = queued()
    for _ in range(settings.MAX_ATTEMPTS):
        analysis_requeue_after_outage(claimed(analysis))
    assert fresh(analysis).code == "attempts_exhausted"
    analysis_retry(analysis.id)
    row = fresh(analysis)
    assert (row.status, row.code, row.started_at, row.finished_at) == ("queued", "", None, None)
    claim = claimed(analysis)
    assert (claim.attempt, claim.attempts_left) == (settings.MAX_ATTEMPTS + 1, settings.MAX_ATTEMPTS - 1)


def test_a_retry_goes_to_the_end_of_the_line() -> None:
    analysis = failed()
    other = queued()
    analysis_retry(analysis.id)
    assert fresh(analysis).queued_at > fresh(other).queued_at


def test_a_retry_past_retention_is_refused_even_before_the_purge_came_by() -> None:
    analysis = failed()
    past_retention(analysis)
    with pytest.raises(PhotoGone):
        analysis_retry(analysis.id)


def test_a_canceled_one_that_runs_on_ends_for_nobody() -> None:
    analysis = queued()
    claim = claimed(analysis)
    analysis_cancel(analysis.id)
    assert not analysis_fail(claim, "model_error")
    assert fresh(analysis).code == ""


@pytest.mark.django_db(transaction=True)
def test_a_retry_asked_for_twice_at_the_same_moment_is_one() -> None:
    analysis = failed()
    assert sorted(at_once(lambda: code_of(analysis_retry, analysis), times=4)) == ["done"] + ["not_retryable"] * 3


@pytest.mark.django_db(transaction=True)
def test_erasing_twice_at_the_same_moment_erases_once() -> None:
    analysis = succeeded()
    assert sorted(at_once(lambda: code_of(analysis_erase, analysis), times=4)) == ["analysis_erased"] * 3 + ["done"]
    assert Erasure.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_erasing_what_has_lost_its_photo_already_is_no_error(storage: Any) -> None:
    analysis = succeeded()
    (storage / analysis.photo).unlink()
    analysis_erase(analysis.id)
    assert not Analysis.objects.exists()
