"""What the plan reckons with: figures that were measured, each with where it comes from."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

BENCH, LOAD = "bench.json", "load.json"  #: in var/, of `make bench` and of `make load`

#: A phone that holds the line asks once when it has sent and once a change of status; a browser each 1 to 10 s.
PHOTO_POLLS = 6.0


@dataclass(frozen=True)
class Figure:
    """A number with its unit in the name of the field that holds it; None where nobody measured it."""

    value: float | None
    source: str

    def __str__(self) -> str:
        return f"{self.value:,.4g} ({self.source})" if self.value is not None else f"not known ({self.source})"


@dataclass(frozen=True)
class Figures:
    """All that `plan` needs to know. Seconds and rates a second."""

    device_seconds: Figure  #: of one device a photo, in the batches that suit it
    submits_per_core: Figure
    polls_per_core: Figure
    sqlite_photos: Figure  #: whole lives of rows a second that one file takes
    postgresql_photos: Figure  #: and that one server takes
    broker_commands: Figure  #: that one server takes
    photo_commands: Figure  #: of the broker for one photo: its bell, its events for Flower, its throttle, its news
    photo_bytes: Figure  #: of a cleaned photo in storage

    def given(self, **values: float | None) -> Figures:
        """The same with those that an option names in place of what was measured."""
        return replace(self, **{name: Figure(value, "given") for name, value in values.items() if value is not None})


def read(var: Path) -> Figures:
    """The figures that `make bench` and `make load` left in this folder."""
    bench, load = _json(var / BENCH), _json(var / LOAD)

    def measured(read: Callable[[], float], source: str) -> Figure:
        try:
            return Figure(float(read()), source)
        except (KeyError, StopIteration, TypeError, ZeroDivisionError):
            return Figure(None, f"not measured: {source.partition(',')[0]}")

    def device() -> float:
        rows = {row["name"]: row for row in bench["rows"]}
        return float(1 / max(rows[name]["photos_per_second"] for name in ("ours", "ours-batch") if name in rows))

    cost = bench.get("service_cost", {})
    database = "postgresql" if "postgresql" in cost else "sqlite"
    limits = load.get("limits", {})
    on = bench.get("machine", {}).get("device", "")
    return Figures(
        device_seconds=measured(device, f"make bench, line ours or ours-batch, device {on}"),
        submits_per_core=measured(lambda: cost[database]["submits_per_core"], f"make bench, {database}"),
        polls_per_core=measured(lambda: cost[database]["polls_200_per_core"], f"make bench, {database}"),
        sqlite_photos=measured(lambda: limits["sqlite"], "make load, limits"),
        postgresql_photos=measured(lambda: limits["postgresql"], "make load, limits"),
        broker_commands=measured(lambda: limits["broker_commands"], "make load, limits"),
        photo_commands=measured(lambda: limits["photo_commands"], "make load, limits"),
        photo_bytes=measured(lambda: limits["photo_bytes"], "make load, limits"),
    )


def _json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())) if path.exists() else {}
