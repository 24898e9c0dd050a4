"""Photos that are a fault themselves."""

from __future__ import annotations

import io
import signal
from collections.abc import Iterator
from uuid import UUID

from ml.data.synthetic import scalp_picture
from tests.chaos.faults import fault
from tests.chaos.ledger import Ledger
from tests.chaos.load import Load
from tests.chaos.points import POISON
from tests.chaos.supervised_stack import SupervisedStack
from tests.support.environment import until


@fault("A photo rots in the storage before it is read.", ends={"failed photo_unreadable": 1})
def corrupt_photo(stack: SupervisedStack, load: Load) -> Iterator[None]:
    stack.freeze_model()
    waiting = "SELECT photo FROM analyses_analysis WHERE status = 'queued' ORDER BY queued_at DESC"
    until(lambda: stack.query(waiting), 20, "a photo that waits")
    stored = stack.var / "photos" / stack.query(waiting)[0][0]
    stored.write_bytes(stored.read_bytes()[:200])
    stack.send("model", signal.SIGCONT)
    yield


@fault(
    "A photo kills the worker each time: it fails after its attempts, and the others go on.",
    ends={"failed attempts_exhausted": 1},
)
def poison_photo(stack: SupervisedStack, load: Load) -> Iterator[None]:
    file = io.BytesIO()
    scalp_picture(1).resize(POISON).save(file, "JPEG")
    starts = stack.starts["model"]
    poison = load.add(file.getvalue())
    stack.until_started_again("model", starts, times=3)
    yield
    assert poison.id
    row = Ledger.read(stack).rows[UUID(poison.id)]
    assert (row.status, row.code, row.tries) == ("failed", "attempts_exhausted", 3)
