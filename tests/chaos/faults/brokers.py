"""Faults of the broker."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator

from tests.chaos.faults import fault
from tests.chaos.load import Load
from tests.chaos.supervised_stack import SupervisedStack


@fault("The broker is killed (-9) and comes back.")
def broker_killed(stack: SupervisedStack, load: Load) -> Iterator[None]:
    stack.kill("broker", stay_down=True)
    before = load.refusals.copy()
    load.until_more(3)
    refused = load.refusals - before
    stack.start("broker")
    yield
    assert not any(answer.startswith("submit") for answer in refused), f"photos were refused meanwhile: {refused}"


@fault("The broker is killed and comes back without its data.")
def broker_wiped(stack: SupervisedStack, load: Load) -> Iterator[None]:
    stack.kill("model", stay_down=True)
    load.until_accepted(0.5)  # All that waits is in the broker alone.
    wipe(stack)
    stack.start("model")
    yield


def wipe(stack: SupervisedStack) -> None:
    """Kill the broker and start it again without its data."""
    stack.kill("broker", stay_down=True)
    shutil.rmtree(stack.folder / "broker")
    (stack.folder / "broker").mkdir()
    stack.start("broker")


@fault("The broker answers no one for a while: its process is stopped with all connections open.")
def broker_unreachable(stack: SupervisedStack, load: Load) -> Iterator[None]:
    with stack.still("broker"):
        time.sleep(stack.seconds(short=6, long=60))
    yield


@fault("All connections to the broker are cut, again and again.")
def broker_connections_cut(stack: SupervisedStack, load: Load) -> Iterator[None]:
    with stack.broker() as broker:
        for _ in range(stack.seconds(short=4, long=12)):
            for kind in ("normal", "pubsub"):
                broker.client_kill_filter(_type=kind, skipme=True)
            time.sleep(0.5)
    yield


@fault("The broker is out of memory and refuses every write.")
def broker_out_of_memory(stack: SupervisedStack, load: Load) -> Iterator[None]:
    with stack.broker() as broker:
        broker.config_set("maxmemory", 1)
        time.sleep(stack.seconds(short=4, long=20))
        broker.config_set("maxmemory", 0)
    yield
