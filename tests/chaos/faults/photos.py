"""Photos that are a fault themselves."""

from __future__ import annotations

import io
import signal
from collections.abc import Iterator
from uuid import UUID

from ml.data.synthetic import scalp_picture
from tests.chaos.faults import fault
from tests.chaos.house import House
from tests.chaos.ledger import Ledger
from tests.chaos.load import Load
from tests.chaos.points import POISON
from tests.support.environment import until


@fault("A photo rots in the storage before it is read.", ends={"failed photo_unreadable": 1})
def corrupt_photo(house: House, load: Load) -> Iterator[None]:
    house.freeze_model()
    waiting = "SELECT photo FROM analyses_analysis WHERE status = 'queued' ORDER BY queued_at DESC"
    until(lambda: house.query(waiting), 20, "a photo that waits")
    stored = house.var / "photos" / house.query(waiting)[0][0]
    stored.write_bytes(stored.read_bytes()[:200])
    house.send("model", signal.SIGCONT)
    yield


@fault(
    "A photo kills the worker each time: it fails after its attempts, and the others go on.",
    ends={"failed attempts_exhausted": 1},
)
def poison_photo(house: House, load: Load) -> Iterator[None]:
    file = io.BytesIO()
    scalp_picture(1).resize(POISON).save(file, "JPEG")
    starts = house.starts["model"]
    poison = load.add(file.getvalue())
    house.until_started_again("model", starts, times=3)
    yield
    assert poison.id
    row = Ledger.read(house).rows[UUID(poison.id)]
    assert (row.status, row.code, row.tries) == ("failed", "attempts_exhausted", 3)
