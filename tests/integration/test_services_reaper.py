"""The reaper: expired leases and lost messages."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.utils import timezone

from backend.analyses.models import Analysis
from backend.analyses.services.reaper import Reaped, analyses_reap, worker_leases_reclaim
from backend.analyses.task_queue import celery_app
from backend.operations.task_names import PHOTOS_QUEUE
from tests.support.analyses import IN_STATUS, canceled, claimed, fresh, lease_lapsed, queued, running
from tests.support.threads import at_once

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]

SentMessages = Callable[[], list[str]]


def make_messages_old(settings: Any) -> None:
    """Make every message old enough to be sent again."""
    long_ago = timezone.now() - timedelta(seconds=settings.RESEND_SECONDS + 1)
    Analysis.objects.exclude(notified_at=None).update(notified_at=long_ago)


# Leases


def test_an_expired_lease_is_requeued_and_enqueued(sent_messages: SentMessages) -> None:
    analysis = running()
    lease_lapsed(analysis)
    assert analyses_reap() == Reaped(requeued=1, failed=0, resent=1)
    row = fresh(analysis)
    assert (row.status, row.worker, row.lease_until, row.models_done, row.attempt) == ("queued", "", None, 0, 1)
    assert row.queued_at == analysis.queued_at
    assert sent_messages() == [str(analysis.id)] * 2
    assert claimed(analysis).repeated


def test_after_the_last_attempt_it_fails_with_a_reason(sent_messages: SentMessages, settings: Any) -> None:
    analysis = queued()
    for _ in range(settings.MAX_ATTEMPTS):
        claimed(analysis)
        lease_lapsed(analysis)
        last = analyses_reap()
    assert last == Reaped(requeued=0, failed=1, resent=0)
    row = fresh(analysis)
    assert (row.status, row.code, row.lease_until) == ("failed", "attempts_exhausted", None)
    assert row.finished_at is not None


def test_all_others_are_left_alone(sent_messages: SentMessages) -> None:
    others = [make() for make in IN_STATUS.values()]
    before = list(Analysis.objects.order_by("id").values())
    assert analyses_reap() == Reaped(requeued=0, failed=0, resent=0)
    assert list(Analysis.objects.order_by("id").values()) == before
    assert len(others) == len(before) == 7


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_lease_is_worth_the_same_whatever_the_clock_of_the_worker_says(
    sent_messages: SentMessages, hours: int, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = timezone.now
    with monkeypatch.context() as worker:
        worker.setattr(timezone, "now", lambda: here() + timedelta(hours=hours))
        analysis = running()
        row = fresh(analysis)
    assert row.lease_until is not None
    assert abs(row.lease_until - here() - timedelta(seconds=settings.LEASE_SECONDS)) < timedelta(seconds=2)
    with monkeypatch.context() as reaper:
        reaper.setattr(timezone, "now", lambda: here() - timedelta(hours=hours))
        assert analyses_reap() == Reaped(requeued=0, failed=0, resent=0)


def test_a_lease_is_not_prolonged_when_the_clock_is_set_back(sent_messages: SentMessages) -> None:
    analysis = running()
    Analysis.objects.filter(pk=analysis.pk).update(lease_until=timezone.now() + timedelta(hours=1))
    assert analyses_reap() == Reaped(requeued=1, failed=0, resent=1)


def test_a_message_from_before_the_clock_change_is_resent(sent_messages: SentMessages, broker: redis.Redis) -> None:
    analysis = queued()
    broker.flushall()
    Analysis.objects.filter(pk=analysis.pk).update(notified_at=timezone.now() + timedelta(hours=1))
    assert [analyses_reap().resent, analyses_reap().resent] == [1, 0]
    assert sent_messages() == [str(analysis.id)]


def test_of_many_reapers_at_the_same_moment_one_takes_it_back(broker: redis.Redis) -> None:
    analysis = running()
    lease_lapsed(analysis)
    rounds = at_once(analyses_reap, times=4)
    assert sum(reaped.requeued for reaped in rounds) == 1
    assert fresh(analysis).status == "queued"


def test_a_worker_that_restarts_reclaims_its_own_leases_and_nothing_else(sent_messages: SentMessages) -> None:
    mine, others = queued(), queued()
    claimed(mine, "model@one")
    claimed(others, "model@two")
    assert worker_leases_reclaim("model@one") == 1
    assert (fresh(mine).status, fresh(others).status) == ("queued", "running")
    assert sent_messages().count(str(mine.id)) == 2


# Bells


def test_a_row_whose_message_was_never_sent_is_enqueued(sent_messages: SentMessages, broker: redis.Redis) -> None:
    analysis = queued()
    broker.flushall()
    Analysis.objects.update(notified_at=None)
    assert analyses_reap().resent == 1
    assert sent_messages() == [str(analysis.id)]
    assert fresh(analysis).notified_at is not None
    assert analyses_reap().resent == 0


def test_while_the_broker_holds_the_messages_none_is_resent(sent_messages: SentMessages, settings: Any) -> None:
    line = [str(queued().id) for _ in range(3)]
    make_messages_old(settings)
    assert analyses_reap().resent == 0
    assert sent_messages() == line


def test_when_the_broker_lost_its_data_all_are_resent_the_oldest_first(
    sent_messages: SentMessages, broker: redis.Redis, settings: Any
) -> None:
    line = [str(queued().id) for _ in range(3)]
    canceled()
    running()
    broker.flushall()
    assert analyses_reap().resent == 0  # They were sent just now: the messages may be on their way.
    make_messages_old(settings)
    assert analyses_reap().resent == 3
    assert sent_messages() == line
    assert analyses_reap().resent == 0


def test_a_lost_message_is_resent_while_others_are_being_worked_on(
    sent_messages: SentMessages, broker: redis.Redis, settings: Any
) -> None:
    lost = queued()
    broker.flushall()
    worked_on = queued()
    with celery_app.connection_for_read() as connection:
        message = connection.default_channel.basic_get(PHOTOS_QUEUE)  # Handed out, and not acknowledged.
        assert message is not None
        claimed(worked_on)
        make_messages_old(settings)
        assert analyses_reap().resent == 1
        assert sent_messages() == [str(lost.id)]
        message.ack()


@pytest.mark.parametrize("set_back", [0, 3600])
def test_a_message_that_died_with_its_worker_is_resent_a_fresh_one_is_not(
    sent_messages: SentMessages, broker: redis.Redis, settings: Any, set_back: float
) -> None:
    """Also if the clock was set back since."""
    died, taken = queued(), queued()
    with celery_app.connection_for_read() as connection:
        channel = connection.default_channel
        dead = channel.basic_get(PHOTOS_QUEUE)
        before = time.time() - settings.RESEND_SECONDS - 1 + set_back
        channel.client.zadd(channel.unacked_index_key, {dead.delivery_tag: before})
        message = channel.basic_get(PHOTOS_QUEUE)
        make_messages_old(settings)
        assert analyses_reap().resent == 1
        assert sent_messages() == [str(died.id)]
        make_messages_old(settings)
        assert analyses_reap().resent == 0
        message.ack()
        assert analyses_reap().resent == 2  # It was let go without its row having been claimed.
        assert sent_messages() == [str(died.id), str(died.id), str(taken.id)]
        dead.ack()


def test_messages_of_other_queues_do_not_stand_in_for_a_lost_one(
    sent_messages: SentMessages, broker: redis.Redis, settings: Any
) -> None:
    lost = queued()
    broker.flushall()
    celery_app.send_task("reap_analyses", queue="upkeep")
    with celery_app.connection_for_read() as connection:
        message = connection.default_channel.basic_get("upkeep")  # As the reaper's own message is while it works.
        assert message is not None
        make_messages_old(settings)
        assert analyses_reap().resent == 1
        assert sent_messages() == [str(lost.id)]
        message.ack()
