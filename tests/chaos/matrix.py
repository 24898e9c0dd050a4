"""One fault under a steady load, checked against the invariants; and the table of all."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.faults import Fault
from tests.chaos.ledger import Ledger
from tests.chaos.load import Load
from tests.chaos.supervised_stack import SupervisedStack

#: Seconds after the last photo was sent within which all must have ended, beside what the fault itself lasts.
PATIENCE = 120


@dataclass(frozen=True)
class FaultResult:
    """What came of one fault."""

    fault: Fault
    analyses: int
    ends: Counter[str]  #: by status, and code where it has one
    attempts: int  #: at most, of any analysis
    seconds: float  #: from the injection until all had ended
    lost: int
    twice: int
    wrong: Sequence[str]  #: sentences on what does not hold

    @property
    def others(self) -> dict[str, int]:
        return {end: times for end, times in self.ends.items() if end != "succeeded"}


def run_fault(fault: Fault, stack: SupervisedStack, *, photos: int, seconds: float) -> FaultResult:
    """Inject the fault while `photos` are sent over `seconds`. Raises NotHere."""
    known = Ledger.read(stack).rows.keys()
    load = Load(stack, photos, seconds * fault.pace, PATIENCE)
    load.start()
    load.until_accepted(1 / 6)
    wrong = []
    injected_at = time.monotonic()
    injection = fault.inject(stack, load)
    try:
        next(injection)
    except TimeoutError as error:
        wrong.append(str(error))
    finally:
        load.join()
    try:
        next(injection, None)
    except (AssertionError, TimeoutError) as error:
        wrong.append(str(error))
    ledger, accepted = Ledger.read(stack), load.ids()
    lost, twice, strays = ledger.lost(accepted), ledger.twice(accepted), ledger.strays()
    rows = ledger.of(accepted)
    ends = Counter(f"{row.status} {row.code}".strip() for row in rows)
    others = {end: times for end, times in ends.items() if end != "succeeded"}
    wrong += strays
    wrong += [f"the service's own check finds {invariant} violated" for invariant in stack.violations()]
    if len(accepted) < len(load.phones):
        wrong.append(f"{len(load.phones) - len(accepted)} photos were never accepted: {dict(load.refusals)}")
    if unasked := ledger.rows.keys() - known - set(accepted):
        wrong.append(f"{len(unasked)} analyses whose id no client received")
    if others != dict(fault.ends):
        wrong.append(f"ended otherwise: {others}, and not {dict(fault.ends)}")
    if rude := {answer: times for answer, times in load.refusals.items() if "without" in answer}:
        wrong.append(f"refused without Retry-After: {rude}")
    return FaultResult(
        fault, len(load.phones), ends, max((row.attempt for row in rows), default=0), load.ended_at() - injected_at,
        len(lost), len(twice), wrong,
    )  # fmt: skip


HEAD = """| fault | analyses | succeeded | other ends | attempts, at most | seconds until all had ended | lost | twice |
|---|---|---|---|---|---|---|---|"""


def table(results: Sequence[FaultResult]) -> str:
    """Markdown: a line a fault."""
    return "\n".join([HEAD, *map(_line, results)])


def _line(result: FaultResult) -> str:
    others = ", ".join(f"{times} {end}" for end, times in sorted(result.others.items())) or "–"
    cells = (result.fault.sentence, result.analyses, result.ends["succeeded"], others, result.attempts)
    return f"| {' | '.join(map(str, (*cells, f'{result.seconds:.0f}', result.lost, result.twice)))} |"
