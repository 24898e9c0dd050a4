"""Clocks that are wrong: hosts disagree about the time, and a clock is set."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.faults import fault
from tests.chaos.faults.workers import in_the_middle_of_a_batch
from tests.chaos.load import Load
from tests.chaos.supervised_stack import SupervisedStack
from tests.support.environment import until

HOUR = 3600.0


@fault("The model worker is killed (-9) and starts with its clock an hour behind all others.")
def clock_behind(stack: SupervisedStack, load: Load) -> Iterator[None]:
    stack.set_clock("model", -HOUR)
    starts = stack.starts["model"]
    stack.note("between two models", "die")
    stack.until_started_again("model", starts)
    until(stack.ready, 60, "readiness with a worker whose clock is behind")
    yield


@fault("All clocks but the database's are set back by an hour in the middle of a batch, and the worker is killed.")
def clocks_set_back(stack: SupervisedStack, load: Load) -> Iterator[None]:
    in_the_middle_of_a_batch(stack)
    for part in ("web", "model", "upkeep", "schedule"):
        stack.set_clock(part, -HOUR)
    stack.kill("model", stay_down=True)
    assert stack.running(), "nothing ran when the worker was killed"
    until(lambda: stack.running() == 0, 30, "the reaper")
    stack.start("model")
    yield
