"""One fault under a steady load, checked against the invariants; and the table of all."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.faults import Fault
from tests.chaos.house import House
from tests.chaos.ledger import Ledger
from tests.chaos.load import Load

#: Seconds after the last photo was sent within which all must have ended, beside what the fault itself lasts.
PATIENCE = 120


@dataclass(frozen=True)
class Row:
    """What came of one fault."""

    fault: Fault
    analyses: int
    ends: Counter[str]  #: by status, and code where it has one
    attempts: int  #: at most, of any analysis
    seconds: float  #: from the strike until all had ended
    lost: int
    twice: int
    wrong: Sequence[str]  #: sentences on what does not hold

    @property
    def others(self) -> dict[str, int]:
        return {end: times for end, times in self.ends.items() if end != "succeeded"}


def suffer(fault: Fault, house: House, *, photos: int, seconds: float) -> Row:
    """Inject the fault while `photos` are sent over `seconds`. Raises NotHere."""
    known = Ledger.read(house).rows.keys()
    load = Load(house, photos, seconds * fault.pace, PATIENCE)
    load.start()
    load.until_accepted(1 / 6)
    wrong = []
    struck_at = time.monotonic()
    strike = fault.strike(house, load)
    try:
        next(strike)
    except TimeoutError as error:
        wrong.append(str(error))
    finally:
        load.join()
    try:
        next(strike, None)
    except (AssertionError, TimeoutError) as error:
        wrong.append(str(error))
    ledger, accepted = Ledger.read(house), load.ids()
    lost, twice, strays = ledger.lost(accepted), ledger.twice(accepted), ledger.strays()
    rows = ledger.of(accepted)
    ends = Counter(f"{row.status} {row.code}".strip() for row in rows)
    others = {end: times for end, times in ends.items() if end != "succeeded"}
    wrong += strays
    wrong += [f"the service's own check finds {invariant} violated" for invariant in house.violations()]
    if len(accepted) < len(load.phones):
        wrong.append(f"{len(load.phones) - len(accepted)} photos were never accepted: {dict(load.refusals)}")
    if unasked := ledger.rows.keys() - known - set(accepted):
        wrong.append(f"{len(unasked)} analyses whose id no client received")
    if others != dict(fault.ends):
        wrong.append(f"ended otherwise: {others}, and not {dict(fault.ends)}")
    if rude := {answer: times for answer, times in load.refusals.items() if "without" in answer}:
        wrong.append(f"refused without Retry-After: {rude}")
    return Row(
        fault, len(load.phones), ends, max((row.attempt for row in rows), default=0), load.ended_at() - struck_at,
        len(lost), len(twice), wrong,
    )  # fmt: skip


HEAD = """| fault | analyses | succeeded | other ends | attempts, at most | seconds until all had ended | lost | twice |
|---|---|---|---|---|---|---|---|"""


def table(rows: Sequence[Row]) -> str:
    """Markdown: a line a fault."""
    return "\n".join([HEAD, *map(_line, rows)])


def _line(row: Row) -> str:
    others = ", ".join(f"{times} {end}" for end, times in sorted(row.others.items())) or "–"
    cells = (row.fault.sentence, row.analyses, row.ends["succeeded"], others, row.attempts)
    return f"| {' | '.join(map(str, (*cells, f'{row.seconds:.0f}', row.lost, row.twice)))} |"
