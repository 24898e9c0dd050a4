"""Faults of the model worker's process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from uuid import UUID

from tests.chaos.faults import fault
from tests.chaos.house import House
from tests.chaos.ledger import Ledger
from tests.chaos.load import Load
from tests.support.environment import until


def dies_at(house: House, point: str) -> None:
    starts = house.starts["model"]
    house.note(point, "die")
    house.until_started_again("model", starts)


@fault("The model worker is killed (-9) before it claims what it was told of.")
def killed_before_the_claim(house: House, load: Load) -> Iterator[None]:
    dies_at(house, "claim")
    yield


@fault("The model worker is killed (-9) while it prepares photos.")
def killed_during_preprocessing(house: House, load: Load) -> Iterator[None]:
    dies_at(house, "preprocessing")
    yield


@fault("The model worker is killed (-9) between two models.")
def killed_between_two_models(house: House, load: Load) -> Iterator[None]:
    dies_at(house, "between two models")
    yield


@fault("The model worker is killed (-9) after the inference and before the finish.")
def killed_before_the_finish(house: House, load: Load) -> Iterator[None]:
    dies_at(house, "finish")
    yield


@fault("The model worker is killed (-9) after the finish and before the acknowledgement.")
def killed_after_the_finish(house: House, load: Load) -> Iterator[None]:
    dies_at(house, "finished")
    yield


@fault("The model worker is stopped in the middle of a batch and continued beyond its lease.")
def stopped_beyond_its_lease(house: House, load: Load) -> Iterator[None]:
    in_the_middle_of_a_batch(house)
    house.freeze_model()
    running = house.query("SELECT id, attempt FROM analyses_analysis WHERE status = 'running'")
    stopped = {(UUID(str(key)), attempt) for key, attempt in running}
    assert stopped, "nothing ran when the worker was stopped"
    until(lambda: house.running() == 0, 30, "the reaper")
    house.send("model", signal.SIGCONT)
    yield
    ledger = Ledger.read(house)
    assert not stopped & ledger.finishes.keys(), "a late attempt wrote its result"
    assert all(ledger.rows[key].attempt > attempt for key, attempt in stopped), "it was not attempted again"


@fault("The model worker is told to leave (SIGTERM) in the middle of a batch: it drains.")
def told_to_leave(house: House, load: Load) -> Iterator[None]:
    in_the_middle_of_a_batch(house, seconds=3)
    load.until_more(8)  # More than a batch holds, so that something is left to requeue.
    process = house.processes["model"]
    house.kill("model", signal.SIGTERM, stay_down=True)
    left = {row.status for row in Ledger.read(house).of(load.ids())}
    house.start("model")
    yield
    assert process.returncode == 0, f"it left with status {process.returncode}"
    assert left == {"queued", "succeeded"}, f"it left behind {left}"
    tries = {row.tries for row in Ledger.read(house).of(load.ids())}
    assert tries == {1}, f"leaving counted as a try: {tries}"


def in_the_middle_of_a_batch(house: House, seconds: float = 2) -> None:
    """Return while the models run, with nearly `seconds` to go."""
    house.note("between two models", f"sleep {seconds:g}")
    house.until_taken("between two models")
