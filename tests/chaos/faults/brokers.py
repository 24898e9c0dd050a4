"""Faults of the broker."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator

from tests.chaos.faults import fault
from tests.chaos.house import House
from tests.chaos.load import Load


@fault("The broker is killed (-9) and comes back.")
def broker_killed(house: House, load: Load) -> Iterator[None]:
    house.kill("broker", stay_down=True)
    before = load.refusals.copy()
    load.until_more(3)
    refused = load.refusals - before
    house.start("broker")
    yield
    assert not any(answer.startswith("submit") for answer in refused), f"photos were refused meanwhile: {refused}"


@fault("The broker is killed and comes back without its data.")
def broker_wiped(house: House, load: Load) -> Iterator[None]:
    house.kill("model", stay_down=True)
    load.until_accepted(0.5)  # All that waits is in the broker alone.
    wipe(house)
    house.start("model")
    yield


def wipe(house: House) -> None:
    """Kill the broker and start it again without its data."""
    house.kill("broker", stay_down=True)
    shutil.rmtree(house.folder / "broker")
    (house.folder / "broker").mkdir()
    house.start("broker")


@fault("The broker answers no one for a while: its process is stopped with all connections open.")
def broker_unreachable(house: House, load: Load) -> Iterator[None]:
    with house.still("broker"):
        time.sleep(house.seconds(short=6, long=60))
    yield


@fault("All connections to the broker are cut, again and again.")
def broker_connections_cut(house: House, load: Load) -> Iterator[None]:
    with house.broker() as broker:
        for _ in range(house.seconds(short=4, long=12)):
            for kind in ("normal", "pubsub"):
                broker.client_kill_filter(_type=kind, skipme=True)
            time.sleep(0.5)
    yield


@fault("The broker is out of memory and refuses every write.")
def broker_out_of_memory(house: House, load: Load) -> Iterator[None]:
    with house.broker() as broker:
        broker.config_set("maxmemory", 1)
        time.sleep(house.seconds(short=4, long=20))
        broker.config_set("maxmemory", 0)
    yield
