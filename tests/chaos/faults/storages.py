"""Faults of where the photos are kept."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.chaos.faults import fault
from tests.chaos.ledger import Ledger
from tests.chaos.load import Load
from tests.chaos.supervised_stack import SupervisedStack


@fault("The storage fails for a while: what should be its folder is none.")
def storage_failing(stack: SupervisedStack, load: Load) -> Iterator[None]:
    photos, away = stack.var / "photos", stack.var / "photos.away"
    photos.rename(away)
    photos.touch()
    time.sleep(stack.seconds(short=4, long=30))
    photos.unlink()
    away.rename(photos)
    yield


@fault("Reading a photo fails with an I/O error, of each photo of a while.")
def storage_unreadable(stack: SupervisedStack, load: Load) -> Iterator[None]:
    stack.note("load", "fail to read", times=None)
    time.sleep(stack.seconds(short=4, long=30))
    (stack.points / "load.always").unlink()
    yield


@fault("The storage is slow: photos take longer to read than a lease lasts, and seconds to write.")
def storage_slow(stack: SupervisedStack, load: Load) -> Iterator[None]:
    stack.note("save", "sleep 2", times=4)
    stack.note("load", f"sleep {stack.lease + 2:g}", times=4)
    stack.until_taken("load")
    yield
    attempts = {row.attempt for row in Ledger.read(stack).of(load.ids())}
    assert attempts == {1}, f"work in progress was taken away: {attempts}"


@fault("The disk is full for a while.")
def disk_full(stack: SupervisedStack, load: Load) -> Iterator[None]:
    with stack.full_disk(stack.var):
        time.sleep(stack.seconds(short=4, long=20))
    yield
