"""Faults of where the photos are kept."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.chaos.faults import fault
from tests.chaos.house import House
from tests.chaos.ledger import Ledger
from tests.chaos.load import Load


@fault("The storage fails for a while: what should be its folder is none.")
def storage_failing(house: House, load: Load) -> Iterator[None]:
    photos, away = house.var / "photos", house.var / "photos.away"
    photos.rename(away)
    photos.touch()
    time.sleep(house.seconds(short=4, long=30))
    photos.unlink()
    away.rename(photos)
    yield


@fault("Reading a photo fails with an I/O error, of each photo of a while.")
def storage_unreadable(house: House, load: Load) -> Iterator[None]:
    house.note("load", "fail to read", times=None)
    time.sleep(house.seconds(short=4, long=30))
    (house.points / "load.always").unlink()
    yield


@fault("The storage is slow: photos take longer to read than a lease lasts, and seconds to write.")
def storage_slow(house: House, load: Load) -> Iterator[None]:
    house.note("save", "sleep 2", times=4)
    house.note("load", f"sleep {house.lease + 2:g}", times=4)
    house.until_taken("load")
    yield
    attempts = {row.attempt for row in Ledger.read(house).of(load.ids())}
    assert attempts == {1}, f"work in progress was taken away: {attempts}"


@fault("The disk is full for a while.")
def disk_full(house: House, load: Load) -> Iterator[None]:
    with house.full_disk(house.var):
        time.sleep(house.seconds(short=4, long=20))
    yield
