"""Clocks that are wrong: hosts disagree about the time, and a clock is set."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.faults import fault
from tests.chaos.faults.workers import in_the_middle_of_a_batch
from tests.chaos.house import House
from tests.chaos.load import Load
from tests.support.environment import until

HOUR = 3600.0


@fault("The model worker is killed (-9) and starts with its clock an hour behind all others.")
def clock_behind(house: House, load: Load) -> Iterator[None]:
    house.set_clock("model", -HOUR)
    starts = house.starts["model"]
    house.note("between two models", "die")
    house.until_started_again("model", starts)
    until(house.ready, 60, "readiness with a worker whose clock is behind")
    yield


@fault("All clocks but the database's are set back by an hour in the middle of a batch, and the worker is killed.")
def clocks_set_back(house: House, load: Load) -> Iterator[None]:
    in_the_middle_of_a_batch(house)
    for part in ("web", "model", "upkeep", "schedule"):
        house.set_clock(part, -HOUR)
    house.kill("model", stay_down=True)
    assert house.running(), "nothing ran when the worker was killed"
    until(lambda: house.running() == 0, 30, "the reaper")
    house.start("model")
    yield
