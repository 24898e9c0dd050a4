"""Changes of the service while it serves, which must look like nothing from outside."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

from tests.chaos.faults import fault
from tests.chaos.ledger import Ledger, attempts_in
from tests.chaos.load import Load, photos
from tests.chaos.supervised_stack import SupervisedStack
from tests.support.environment import until


@fault("Each part is restarted, one after the other, and another bundle takes the place of the first.", pace=2)
def rolling_restart(stack: SupervisedStack, load: Load) -> Iterator[None]:
    load.until_ended(1)  # By the first bundle.
    stack.besides["model-2"] = {"SCALP_BUNDLE": str(stack.next_bundle)}
    stack.start("model-2")
    until(lambda: stack.readiness().get("workers") == 2, 60, "a second worker")
    stack.kill("model", signal.SIGTERM, stay_down=True)
    for part in ("upkeep", "schedule", "web", "broker"):
        stack.restart(part)
    if stack.server:
        stack.restart("database", signal.SIGINT)
    for photo in photos()[:3]:  # However quick the first one was, something is left for the next.
        load.add(photo)
    yield
    stack.sweep_orphans()  # Of an upload whose commit could not be confirmed.
    ledger, accepted = Ledger.read(stack), load.ids()
    next_made = {key for key, _attempt in attempts_in([stack.log("model-2")], "analysis_succeeded")}
    first, following = reference(stack.bundle), reference(stack.next_bundle)
    wrong = [key for key in accepted if ledger.rows[key].bundle != (following if key in next_made else first)]
    assert not wrong, f"these name another bundle than the one that made them: {wrong}"
    assert {ledger.rows[key].bundle for key in accepted} == {first, following}, "one of the bundles made nothing"


def reference(bundle: Path) -> str:
    """How a result names a bundle."""
    manifest = json.loads((bundle / "bundle.json").read_text())
    return f"{manifest['name']}@{manifest['version']}"
