"""Faults of the device, raised where torch raises them."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.faults import fault
from tests.chaos.faults.workers import in_the_middle_of_a_batch
from tests.chaos.ledger import Ledger
from tests.chaos.load import Load
from tests.chaos.supervised_stack import SupervisedStack


@fault("The device has no memory left for a batch: it is halved, and no photo fails.")
def out_of_memory(stack: SupervisedStack, load: Load) -> Iterator[None]:
    in_the_middle_of_a_batch(stack)  # Meanwhile the next one fills.
    stack.note("between two models", "have no memory")
    stack.until_taken("between two models")
    yield
    attempts = {row.attempt for row in Ledger.read(stack).of(load.ids())}
    assert attempts == {1}, f"a halved batch cost a photo an attempt: {attempts}"


@fault("The device is lost to a sticky error: the worker leaves, and a new one begins.")
def device_lost(stack: SupervisedStack, load: Load) -> Iterator[None]:
    starts = stack.starts["model"]
    stack.note("between two models", "lose the device")
    stack.until_started_again("model", starts)
    yield
