"""Faults of the model worker's process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from uuid import UUID

from tests.chaos.faults import fault
from tests.chaos.ledger import Ledger
from tests.chaos.load import Load
from tests.chaos.supervised_stack import SupervisedStack
from tests.support.environment import until


def dies_at(stack: SupervisedStack, point: str) -> None:
    starts = stack.starts["model"]
    stack.note(point, "die")
    stack.until_started_again("model", starts)


@fault("The model worker is killed (-9) before it claims what it was told of.")
def killed_before_the_claim(stack: SupervisedStack, load: Load) -> Iterator[None]:
    dies_at(stack, "claim")
    yield


@fault("The model worker is killed (-9) while it prepares photos.")
def killed_during_preprocessing(stack: SupervisedStack, load: Load) -> Iterator[None]:
    dies_at(stack, "preprocessing")
    yield


@fault("The model worker is killed (-9) between two models.")
def killed_between_two_models(stack: SupervisedStack, load: Load) -> Iterator[None]:
    dies_at(stack, "between two models")
    yield


@fault("The model worker is killed (-9) after the inference and before the finish.")
def killed_before_the_finish(stack: SupervisedStack, load: Load) -> Iterator[None]:
    dies_at(stack, "finish")
    yield


@fault("The model worker is killed (-9) after the finish and before the acknowledgement.")
def killed_after_the_finish(stack: SupervisedStack, load: Load) -> Iterator[None]:
    dies_at(stack, "finished")
    yield


@fault("The model worker is stopped in the middle of a batch and continued beyond its lease.")
def stopped_beyond_its_lease(stack: SupervisedStack, load: Load) -> Iterator[None]:
    in_the_middle_of_a_batch(stack)
    stack.freeze_model()
    running = stack.query("SELECT id, attempt FROM analyses_analysis WHERE status = 'running'")
    stopped = {(UUID(str(key)), attempt) for key, attempt in running}
    assert stopped, "nothing ran when the worker was stopped"
    until(lambda: stack.running() == 0, 30, "the reaper")
    stack.send("model", signal.SIGCONT)
    yield
    ledger = Ledger.read(stack)
    assert not stopped & ledger.finishes.keys(), "a late attempt wrote its result"
    assert all(ledger.rows[key].attempt > attempt for key, attempt in stopped), "it was not attempted again"


@fault("The model worker is told to leave (SIGTERM) in the middle of a batch: it drains.")
def told_to_leave(stack: SupervisedStack, load: Load) -> Iterator[None]:
    in_the_middle_of_a_batch(stack, seconds=3)
    load.until_more(8)  # More than a batch holds, so that something is left to requeue.
    process = stack.processes["model"]
    stack.kill("model", signal.SIGTERM, stay_down=True)
    left = {row.status for row in Ledger.read(stack).of(load.ids())}
    stack.start("model")
    yield
    assert process.returncode == 0, f"it left with status {process.returncode}"
    assert left == {"queued", "succeeded"}, f"it left behind {left}"
    tries = {row.tries for row in Ledger.read(stack).of(load.ids())}
    assert tries == {1}, f"leaving counted as a try: {tries}"


def in_the_middle_of_a_batch(stack: SupervisedStack, seconds: float = 2) -> None:
    """Return while the models run, with nearly `seconds` to go."""
    stack.note("between two models", f"sleep {seconds:g}")
    stack.until_taken("between two models")
