from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from backend.operations.circuit_breaker import CircuitBreaker


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(3.0, clock)


def test_a_closed_breaker_allows_every_call(breaker: CircuitBreaker) -> None:
    assert all(breaker.allows_call() for _ in range(3))
    breaker.record_success()
    assert breaker.allows_call()


def test_a_failure_opens_it_for_its_seconds(breaker: CircuitBreaker, clock: Clock) -> None:
    breaker.record_failure()
    assert not breaker.allows_call()
    clock.now += 2.9
    assert not breaker.allows_call()
    clock.now += 0.1
    assert breaker.allows_call()


def test_half_open_it_allows_one_call(breaker: CircuitBreaker, clock: Clock) -> None:
    breaker.record_failure()
    clock.now += 3.0
    assert [breaker.allows_call() for _ in range(3)] == [True, False, False]


def test_the_success_of_that_call_closes_it(breaker: CircuitBreaker, clock: Clock) -> None:
    breaker.record_failure()
    clock.now += 3.0
    assert breaker.allows_call()
    breaker.record_success()
    assert all(breaker.allows_call() for _ in range(3))


def test_the_failure_of_that_call_opens_it_again(breaker: CircuitBreaker, clock: Clock) -> None:
    breaker.record_failure()
    clock.now += 3.0
    assert breaker.allows_call()
    clock.now += 1.0
    breaker.record_failure()
    clock.now += 2.9
    assert not breaker.allows_call()
    clock.now += 0.1
    assert breaker.allows_call()


def test_a_call_without_an_outcome_does_not_keep_it_open(breaker: CircuitBreaker, clock: Clock) -> None:
    breaker.record_failure()
    clock.now += 3.0
    assert breaker.allows_call()
    clock.now += 3.0
    assert breaker.allows_call()


def test_of_threads_that_call_at_once_one_is_allowed(breaker: CircuitBreaker, clock: Clock) -> None:
    breaker.record_failure()
    clock.now += 3.0
    together = threading.Barrier(8)

    def call() -> bool:
        together.wait(30)
        return breaker.allows_call()

    with ThreadPoolExecutor(8) as threads:
        assert sum(future.result(30) for future in [threads.submit(call) for _ in range(8)]) == 1
