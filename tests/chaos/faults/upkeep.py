"""Faults that the upkeep has to put right while there is more of it than one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from uuid import UUID

from tests.chaos.faults import fault
from tests.chaos.ledger import attempts_in
from tests.chaos.load import Load
from tests.chaos.supervised_stack import SupervisedStack
from tests.support.environment import until

REAPERS = ("upkeep", "upkeep-2")


@fault("Two reapers and two schedules run at once and find the same: what a killed (-9) model worker held.")
def two_reapers(stack: SupervisedStack, load: Load) -> Iterator[None]:
    stack.kill("model", signal.SIGTERM, stay_down=True)  # So that work is left once both are there.
    before = {part: rounds(stack, part) for part in REAPERS}
    stack.start("upkeep-2")
    stack.start("schedule-2")
    until(lambda: all(rounds(stack, part) > before[part] for part in REAPERS), 60, "a round of each reaper")
    stack.note("load", "sleep 5", times=4)
    stack.start("model")
    stack.until_taken("load", 60)
    # Of two rounds, each has read what lapsed before either takes it back.
    stack.note("take back", "sleep 3", times=2)
    stack.kill("model", stay_down=True)
    running = stack.query("SELECT id, attempt FROM analyses_analysis WHERE status = 'running'")
    held = {(UUID(str(key)), attempt) for key, attempt in running}
    assert held, "nothing ran when the worker was killed"
    stack.until_taken("take back")
    until(lambda: stack.running() == 0, 30, "the reapers")
    stack.start("model")
    yield
    taken = attempts_in([stack.log(part) for part in REAPERS], "lease_reclaimed")
    assert all(taken[one] == 1 for one in held), f"of {held}, these were taken back so often: {taken}"


def rounds(stack: SupervisedStack, part: str) -> int:
    """How many rounds of the reaper ended in this process."""
    log = stack.log(part)
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return sum("Task reap_analyses" in line and "succeeded" in line for line in lines)
