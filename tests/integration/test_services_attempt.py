"""An attempt from claim to end, and the fence that keeps late ones out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from backend.analyses.errors import NotCancelable
from backend.analyses.models import AGE_WORDS, SEX_WORDS, Age, Analysis, Finding, Human, Sex
from backend.analyses.services.attempt import (
    Claim,
    analysis_claim,
    analysis_fail,
    analysis_reject,
    analysis_requeue_after_outage,
    analysis_requeue_on_drain,
    analysis_succeed,
    claim_photo,
    claim_progress,
    claims_renew,
)
from backend.analyses.services.control import analysis_cancel, analysis_erase, analysis_retry
from backend.analyses.services.reaper import analyses_reap
from ml.labels import SYMPTOMS
from tests.support.analyses import BUNDLE, IN_STATUS, claimed, findings, fresh, lease_lapsed, queued
from tests.support.threads import at_once

pytestmark = [pytest.mark.database, pytest.mark.django_db, pytest.mark.usefixtures("storage", "broker")]


def succeed(claim: Claim) -> bool:
    return analysis_succeed(claim, findings(), bundle=BUNDLE, demo=True)


# Claim


def test_a_claim_sets_running_a_lease_and_the_next_attempt() -> None:
    analysis = queued()
    before = timezone.now()
    claim = claimed(analysis, "model@one")
    row = fresh(analysis)
    assert (row.status, row.attempt, row.worker, row.models_done) == ("running", 1, "model@one", 0)
    assert row.started_at is not None
    assert row.lease_until is not None
    assert row.started_at >= before
    assert row.lease_until > row.started_at
    assert (claim.analysis_id, claim.attempt, claim.photo) == (row.id, 1, row.photo)
    assert claim_photo(claim).startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize("status", [status for status in IN_STATUS if status != "queued"])
def test_there_is_nothing_to_claim_unless_it_is_queued(status: str) -> None:
    analysis = IN_STATUS[status]()
    before = fresh(analysis)
    assert analysis_claim(analysis.id, worker="model@two") is None
    assert (fresh(analysis).status, fresh(analysis).attempt) == (status, before.attempt)


@pytest.mark.django_db(transaction=True)
def test_of_many_that_claim_at_the_same_moment_one_gets_it() -> None:
    for _ in range(5):
        analysis = queued()
        claims = at_once(partial(analysis_claim, analysis.id, worker="model@one"), times=4)
        assert sum(claim is not None for claim in claims) == 1
        assert fresh(analysis).attempt == 1


def test_a_claim_overtaken_between_its_steps_reuses_no_attempt_number() -> None:
    analysis = queued()
    overtaken = False

    def overtake(execute: Any, sql: str, *told: Any) -> Any:
        nonlocal overtaken
        found = execute(sql, *told)
        if not overtaken and sql.startswith("SELECT"):
            overtaken = True
            analysis_requeue_on_drain(claimed(analysis, "model@two"))
        return found

    with connection.execute_wrapper(overtake):
        assert analysis_claim(analysis.id, worker="model@one") is None
    assert fresh(analysis).attempt == 1
    assert claimed(analysis).attempt == 2


# The ends


@pytest.mark.parametrize("sex", Sex.values)
@pytest.mark.parametrize("age", Age.values)
def test_a_success_writes_six_findings_and_one_human_in_korean_words(sex: str, age: str) -> None:
    analysis = queued(sex=sex, age=age)
    assert analysis_succeed(claimed(analysis), findings((0, 2, 0, 0, 0, 1)), bundle=BUNDLE, demo=False)
    row = fresh(analysis)
    assert (row.status, row.models_done, row.bundle, row.demo, row.code) == ("succeeded", 7, BUNDLE, False, "")
    assert row.finished_at is not None
    assert row.lease_until is None
    assert row.human == Human.objects.get()
    assert row.human.sex == SEX_WORDS[sex] in {"남", "여", "미응답"}
    assert row.human.age == AGE_WORDS[age]
    assert row.human.age in {"10대", "20대", "30대", "40대", "50대", "60대", "70대", "80대 이상"}
    assert (row.human.skin, row.human.pred) == ("지성", "중등도")
    kept = Finding.objects.filter(analysis=row).order_by("id")
    assert [(finding.symptom, finding.grade) for finding in kept] == [
        (symptom.key, grade) for symptom, grade in zip(SYMPTOMS, (0, 2, 0, 0, 0, 1), strict=True)
    ]
    assert [kept[1].probability_0, kept[1].probability_2, kept[1].confidence] == pytest.approx([0.2 / 3, 0.8, 0.8])


def test_a_success_that_breaks_in_the_middle_writes_nothing() -> None:
    analysis = queued()
    claim = claimed(analysis)
    in_the_way = findings()[5]
    Finding.objects.create(
        analysis=analysis, symptom=in_the_way.symptom, grade=0, confidence=1,
        probability_0=1, probability_1=0, probability_2=0, probability_3=0,
    )  # fmt: skip
    before = fresh(analysis)
    with pytest.raises(IntegrityError):
        succeed(claim)
    row = fresh(analysis)
    assert (row.status, row.finished_at, row.human, row.lease_until) == ("running", None, None, before.lease_until)
    assert not Human.objects.exists()
    assert Finding.objects.count() == 1


@pytest.mark.parametrize("wrong", [[], findings()[:5], findings()[::-1], findings() + findings()[:1]])
def test_a_success_without_six_findings_in_order_is_an_internal_error(wrong: Any) -> None:
    analysis = queued()
    with pytest.raises(ValueError, match="six findings"):
        analysis_succeed(claimed(analysis), wrong, bundle=BUNDLE, demo=True)
    assert fresh(analysis).status == "running"


def test_a_rejection_and_a_failure_say_why_and_make_no_human() -> None:
    refused, broken = queued(), queued()
    assert analysis_reject(claimed(refused), "not_a_scalp", bundle=BUNDLE, demo=True)
    assert analysis_fail(claimed(broken), "out_of_memory")
    assert (fresh(refused).status, fresh(refused).code, fresh(refused).models_done) == ("rejected", "not_a_scalp", 1)
    assert (fresh(broken).status, fresh(broken).code) == ("failed", "out_of_memory")
    for row in (fresh(refused), fresh(broken)):
        assert row.finished_at is not None
        assert row.lease_until is None
    assert not Human.objects.exists()
    assert not Finding.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_success_told_twice_at_the_same_moment_is_one() -> None:
    claim = claimed(queued())
    assert sorted(at_once(lambda: succeed(claim), times=4)) == [False, False, False, True]
    assert (Human.objects.count(), Finding.objects.count()) == (1, 6)


# Back into the queue


def test_a_requeue_on_drain_keeps_its_place_and_its_attempts(settings: Any) -> None:
    first, second = queued(), queued()
    for number in range(1, 2 * settings.MAX_ATTEMPTS):
        claim = claimed(first)
        assert (claim.attempt, claim.repeated, claim.attempts_left) == (number, False, settings.MAX_ATTEMPTS - 1)
        assert analysis_requeue_on_drain(claim)
        row = fresh(first)
        assert (row.status, row.worker, row.lease_until, row.models_done) == ("queued", "", None, 0)
    assert fresh(first).queued_at < fresh(second).queued_at


@pytest.mark.django_db(transaction=True)
def test_a_requeue_on_drain_is_enqueued_at_once_one_after_an_outage_is_not(
    sent_messages: Callable[[], list[str]],
) -> None:
    drained, interrupted = queued(), queued()
    claims = claimed(drained), claimed(interrupted)
    assert sent_messages() == [str(drained.id), str(interrupted.id)]
    analysis_requeue_on_drain(claims[0])
    analysis_requeue_after_outage(claims[1])
    assert sent_messages() == [str(drained.id), str(interrupted.id), str(drained.id)]
    assert fresh(drained).notified_at is not None
    assert fresh(interrupted).notified_at is None


def test_after_too_many_outages_an_analysis_fails(settings: Any) -> None:
    analysis = queued()
    seen = []
    for _ in range(settings.MAX_ATTEMPTS):
        claim = claimed(analysis)
        seen.append((claim.repeated, claim.attempts_left))
        assert analysis_requeue_after_outage(claim)
    assert seen == [(False, 2), (True, 1), (True, 0)]
    assert (fresh(analysis).status, fresh(analysis).code) == ("failed", "attempts_exhausted")


# Signs of life


def test_progress_and_heartbeats_renew_the_lease() -> None:
    analysis = queued()
    claim = claimed(analysis)
    for renew in (lambda: claim_progress(claim, models_done=3), lambda: claims_renew([claim]) == 1):
        lease_lapsed(analysis)
        assert renew()
        assert fresh(analysis).lease_until > timezone.now()  # type: ignore[operator]
    assert fresh(analysis).models_done == 3
    assert analyses_reap().requeued == 0


# The fence


def lapse(analysis: Analysis) -> None:
    lease_lapsed(analysis)
    analyses_reap()


TAKEN: dict[str, Callable[[Analysis], object]] = {
    "back in the queue": lapse,
    "claimed again": lambda analysis: (lapse(analysis), claimed(analysis, "model@two")),
    "succeeded for another": lambda analysis: (lapse(analysis), succeed(claimed(analysis, "model@two"))),
    "canceled": lambda analysis: analysis_cancel(analysis.id),
    "canceled and asked for again": lambda analysis: (analysis_cancel(analysis.id), analysis_retry(analysis.id)),
    "canceled, asked for and claimed again": lambda analysis: (
        analysis_cancel(analysis.id),
        analysis_retry(analysis.id),
        claimed(analysis, "model@two"),
    ),
    "failed": lambda analysis: analysis_fail(Claim(analysis.id, 1, "", False, 1, analysis.queued_at), "model_error"),
    "erased": lambda analysis: analysis_erase(analysis.id),
}

LATE: dict[str, Callable[[Claim], object]] = {
    "progress": lambda claim: claim_progress(claim, models_done=5),
    "a heartbeat": lambda claim: claims_renew([claim]),
    "success": succeed,
    "a rejection": lambda claim: analysis_reject(claim, "not_a_scalp", bundle=BUNDLE, demo=True),
    "a failure": lambda claim: analysis_fail(claim, "model_error"),
    "requeue on drain": analysis_requeue_on_drain,
    "requeue after outage": analysis_requeue_after_outage,
    "last requeue after outage": lambda claim: analysis_requeue_after_outage(replace(claim, attempts_left=0)),
}


@pytest.mark.parametrize("late", LATE)
@pytest.mark.parametrize("taken", TAKEN)
def test_a_late_attempt_writes_nothing_and_is_told_so(taken: str, late: str) -> None:
    analysis = queued()
    claim = claimed(analysis)
    TAKEN[taken](analysis)
    tables = (Analysis, Human, Finding)
    before = [list(table.objects.order_by("pk").values()) for table in tables]
    assert not LATE[late](claim)
    assert [list(table.objects.order_by("pk").values()) for table in tables] == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", [analysis_cancel, analysis_erase])
def test_a_success_and_its_owner_at_the_same_moment_leave_no_half(act: Callable[[UUID], None]) -> None:
    for _ in range(4):
        analysis = queued()
        claim = claimed(analysis)

        def owner_acts(analysis_id: UUID = analysis.id) -> None:
            with suppress(NotCancelable):
                act(analysis_id)

        at_once(partial(succeed, claim), owner_acts)
        row = Analysis.objects.filter(pk=analysis.pk).first()
        whole = row is not None and row.status == "succeeded"
        assert row is None or row.status in {"succeeded", "canceled"}
        assert Finding.objects.filter(analysis_id=analysis.pk).count() == (6 if whole else 0)
        assert Human.objects.filter(analysis=analysis.pk).count() == (1 if whole else 0)
    assert Human.objects.count() == Analysis.objects.filter(status="succeeded").count()
