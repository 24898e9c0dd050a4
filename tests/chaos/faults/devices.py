"""Faults of the device, raised where torch raises them."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.faults import fault
from tests.chaos.faults.workers import in_the_middle_of_a_batch
from tests.chaos.house import House
from tests.chaos.ledger import Ledger
from tests.chaos.load import Load


@fault("The device has no memory left for a batch: it is halved, and no photo fails.")
def out_of_memory(house: House, load: Load) -> Iterator[None]:
    in_the_middle_of_a_batch(house)  # Meanwhile the next one fills.
    house.note("between two models", "have no memory")
    house.until_taken("between two models")
    yield
    attempts = {row.attempt for row in Ledger.read(house).of(load.ids())}
    assert attempts == {1}, f"a halved batch cost a photo an attempt: {attempts}"


@fault("The device is lost to a sticky error: the worker leaves, and a new one begins.")
def device_lost(house: House, load: Load) -> Iterator[None]:
    starts = house.starts["model"]
    house.note("between two models", "lose the device")
    house.until_started_again("model", starts)
    yield
