"""Faults that the upkeep has to put right while there is more of it than one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from uuid import UUID

from tests.chaos.faults import fault
from tests.chaos.house import House
from tests.chaos.ledger import attempts_in
from tests.chaos.load import Load
from tests.support.environment import until

REAPERS = ("upkeep", "upkeep-2")


@fault("Two reapers and two schedules run at once and find the same: what a killed (-9) model worker held.")
def two_reapers(house: House, load: Load) -> Iterator[None]:
    house.kill("model", signal.SIGTERM, stay_down=True)  # So that work is left once both are there.
    before = {part: rounds(house, part) for part in REAPERS}
    house.start("upkeep-2")
    house.start("schedule-2")
    until(lambda: all(rounds(house, part) > before[part] for part in REAPERS), 60, "a round of each reaper")
    house.note("load", "sleep 5", times=4)
    house.start("model")
    house.until_taken("load", 60)
    # Of two rounds, each has read what lapsed before either takes it back.
    house.note("take back", "sleep 3", times=2)
    house.kill("model", stay_down=True)
    running = house.query("SELECT id, attempt FROM analyses_analysis WHERE status = 'running'")
    held = {(UUID(str(key)), attempt) for key, attempt in running}
    assert held, "nothing ran when the worker was killed"
    house.until_taken("take back")
    until(lambda: house.running() == 0, 30, "the reapers")
    house.start("model")
    yield
    taken = attempts_in([house.log(part) for part in REAPERS], "lease_reclaimed")
    assert all(taken[one] == 1 for one in held), f"of {held}, these were taken back so often: {taken}"


def rounds(house: House, part: str) -> int:
    """How many rounds of the reaper ended in this process."""
    log = house.log(part)
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return sum("Task reap_analyses" in line and "succeeded" in line for line in lines)
