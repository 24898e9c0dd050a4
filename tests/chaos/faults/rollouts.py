"""Changes of the service while it serves, which must look like nothing from outside."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

from tests.chaos.faults import fault
from tests.chaos.house import House
from tests.chaos.ledger import Ledger, attempts_in
from tests.chaos.load import Load, photos
from tests.support.environment import until


@fault("Each part is restarted, one after the other, and another bundle takes the place of the first.", pace=2)
def rolling_restart(house: House, load: Load) -> Iterator[None]:
    load.until_ended(1)  # By the first bundle.
    house.besides["model-2"] = {"SCALP_BUNDLE": str(house.next_bundle)}
    house.start("model-2")
    until(lambda: house.readiness().get("workers") == 2, 60, "a second worker")
    house.kill("model", signal.SIGTERM, stay_down=True)
    for part in ("upkeep", "schedule", "web", "broker"):
        house.restart(part)
    if house.server:
        house.restart("database", signal.SIGINT)
    for photo in photos()[:3]:  # However quick the first one was, something is left for the next.
        load.add(photo)
    yield
    house.sweep_orphans()  # Of an upload whose commit could not be confirmed.
    ledger, accepted = Ledger.read(house), load.ids()
    next_made = {key for key, _attempt in attempts_in([house.log("model-2")], "analysis_succeeded")}
    first, following = reference(house.bundle), reference(house.next_bundle)
    wrong = [key for key in accepted if ledger.rows[key].bundle != (following if key in next_made else first)]
    assert not wrong, f"these name another bundle than the one that made them: {wrong}"
    assert {ledger.rows[key].bundle for key in accepted} == {first, following}, "one of the bundles made nothing"


def reference(bundle: Path) -> str:
    """How a result names a bundle."""
    manifest = json.loads((bundle / "bundle.json").read_text())
    return f"{manifest['name']}@{manifest['version']}"
