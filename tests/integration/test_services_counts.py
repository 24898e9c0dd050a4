"""Tries that the database counts, because RabbitMQ does not."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from backend.operations.models import Count
from backend.operations.services import count_attempt, delete_expired_counts
from backend.operations.throttle import WINDOW_SECONDS, SubmitThrottle
from tests.support.threads import at_once

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def test_of_many_tries_at_the_same_moment_each_has_a_number_of_its_own() -> None:
    assert sorted(at_once(lambda: count_attempt("a key", seconds=60), times=8)) == list(range(1, 9))
    assert count_attempt("another key", seconds=60) == 1


def test_a_limit_is_met_exactly_and_no_address_is_stored(rf: RequestFactory, settings: Any) -> None:
    settings.CELERY_BROKER_URL = "amqp://nowhere"
    settings.SUBMITS_PER_MINUTE = 5

    def allowed() -> bool:
        return SubmitThrottle().allow_request(rf.post("/", REMOTE_ADDR="10.1.2.3"), None)

    tries = at_once(allowed, times=12)
    # All of them fall into the same minute, or into two that follow each other.
    assert sum(tries) in {5, 10}
    assert sum(tries) == 5 or Count.objects.count() == 2
    assert SubmitThrottle().allow_request(rf.post("/", REMOTE_ADDR="10.3.2.1"), None)
    assert not Count.objects.filter(key__contains="10.").exists()


def test_counts_are_forgotten_when_their_time_is_over() -> None:
    count_attempt("over", seconds=-1)
    count_attempt("not over", seconds=2 * WINDOW_SECONDS)
    assert delete_expired_counts() == 1
    assert [count.key for count in Count.objects.all()] == ["not over"]
