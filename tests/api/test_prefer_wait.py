"""GET /api/v1/analyses/{id}/ with Prefer: wait, which is answered once the status changes."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test import RequestFactory

from backend.analyses.models import Analysis
from backend.analyses.services.attempt import analysis_fail, claim_progress
from backend.analyses.services.control import analysis_cancel, analysis_erase
from backend.operations.long_polling import preferred_wait, wait_for
from tests.api.contract import ContractClient
from tests.support.analyses import claimed, queued, succeeded

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def elsewhere(transactional_db: None) -> Iterator[Callable[[Callable[[], Any]], Future[Any]]]:
    """Runs calls in threads of their own beside the test."""

    def run(call: Callable[[], Any]) -> Future[Any]:
        def called() -> Any:
            try:
                return call()
            finally:
                connections.close_all()

        return threads.submit(called)

    with ThreadPoolExecutor(16) as threads:
        yield run


@pytest.fixture
def held(elsewhere: Any) -> Callable[..., Future[Any]]:
    """Polls with headers that ask to be held, and returns once the poll has checked twice and keeps waiting."""

    def poll(analysis: Analysis, **headers: str) -> Future[Any]:
        looks = itertools.count(1)
        held = threading.Event()

        def notice(execute: Any, sql: str, *told: Any) -> Any:
            found = execute(sql, *told)
            if sql.lstrip().startswith("SELECT") and "models_done" in sql and next(looks) == 2:
                held.set()
            return found

        def call() -> Any:
            with connection.execute_wrapper(notice):
                return ContractClient().status(analysis, Prefer="wait=25", **headers)

        answer = elsewhere(call)
        assert held.wait(30)
        return answer  # type: ignore[no-any-return]

    return poll


def failed_at_once(analysis: Analysis) -> None:
    """Claimed and failed in one step, as a word of the claim alone would end the wait."""
    with transaction.atomic():
        analysis_fail(claimed(analysis), "model_error")


@pytest.mark.parametrize(
    ("happens", "status"),
    [
        (claimed, "running"),
        (lambda analysis: analysis_cancel(analysis.id), "canceled"),
        (lambda analysis: failed_at_once(analysis), "failed"),
    ],
)
def test_a_held_answer_comes_when_the_status_changes(
    held: Any, happens: Callable[[Analysis], object], status: str
) -> None:
    analysis = queued()
    waiting = held(analysis)
    happens(analysis)
    answer = waiting.result(60)
    assert answer.json()["status"] == status
    assert answer["Preference-Applied"] == "wait=25"


def test_an_etag_that_is_known_is_held_until_anything_changes(api: ContractClient, held: Any) -> None:
    analysis = queued()
    claim = claimed(analysis)
    etag = api.status(analysis)["ETag"]
    waiting = held(analysis, If_None_Match=f'"older", W/{etag}')
    claim_progress(claim, models_done=3)
    answer = waiting.result(60)
    assert (answer.status_code, answer.json()["models_done"]) == (200, 3)


def test_an_analysis_erased_while_somebody_waits_answers_410(held: Any) -> None:
    analysis = queued()
    waiting = held(analysis)
    analysis_erase(analysis.id)
    assert waiting.result(60).status_code == 410


def test_a_held_answer_that_does_not_change_comes_in_the_end(api: ContractClient, transactional_db: None) -> None:
    analysis = queued()
    answer = api.status(analysis, Prefer="wait=1")
    assert answer["Preference-Applied"] == "wait=1"
    assert answer.json()["status"] == "queued"
    known = api.status(analysis, Prefer="wait=1", If_None_Match=answer["ETag"])
    assert (known.status_code, known["Preference-Applied"]) == (304, "wait=1")


def test_what_has_ended_is_never_held(api: ContractClient) -> None:
    analysis = succeeded()
    etag = api.status(analysis)["ETag"]
    answer = api.status(analysis, Prefer="wait=25", If_None_Match=etag)
    assert answer.status_code == 304
    assert "Preference-Applied" not in answer


class Seat:
    """A place to wait that is taken until `free` is set; `taken` is set once it is."""

    def __init__(self) -> None:
        self.taken = threading.Event()
        self.free = threading.Event()
        self._looks = itertools.count(1)

    def sit(self) -> bool:
        return wait_for(self._look, lambda _: self.free.is_set(), 60.0)[1]

    def _look(self) -> None:
        if next(self._looks) == 2:
            self.taken.set()


def test_when_all_places_to_wait_are_taken_it_answers_at_once(
    api: ContractClient, elsewhere: Any, settings: Any
) -> None:
    analysis = queued()
    seats = [Seat() for _ in range(settings.WAITERS)]
    sitting = [elsewhere(seat.sit) for seat in seats]
    assert all(seat.taken.wait(30) for seat in seats)
    try:
        full = api.status(analysis, Prefer="wait=25")
    finally:
        for seat in seats:
            seat.free.set()
    assert full.status_code == 200
    assert "Preference-Applied" not in full
    assert all(sat.result(30) for sat in sitting)
    assert api.status(analysis, Prefer="wait=1")["Preference-Applied"] == "wait=1"


NONSENSE = ["", "wait", "wait=", "wait=-5", "wait=soon", "wait=١", "await=9", "nowait=9", "respond-async", "wait:9"]


@pytest.mark.parametrize("prefer", ["wait=0", "\0", *NONSENSE])
def test_a_preference_that_is_nonsense_is_not_waited_for(api: ContractClient, prefer: str) -> None:
    answer = api.status(queued(), Prefer=prefer)
    assert answer.status_code == 200
    assert "Preference-Applied" not in answer


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("wait=7", 7),
        ("wait=25", 25),
        ("wait=26", 25),
        ("wait=99999999999999999999", 25),
        ("respond-async, wait=9", 9),
        ('foo; bar="x" ,wait = "9"', 9),
    ],
)
def test_nobody_waits_longer_than_25_seconds(rf: RequestFactory, prefer: str, seconds: float) -> None:
    assert preferred_wait(rf.get("/", headers={"Prefer": prefer})) == seconds
