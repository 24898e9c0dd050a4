"""The measured figures that the plan is based on, each with its source."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

BENCH, LOAD = "bench.json", "load.json"  #: in var/, of `make bench` and of `make load`

#: With long polling, a phone polls once after sending and once per change of status; a browser polls every 1 to 10 s.
PHOTO_POLLS = 6.0


@dataclass(frozen=True)
class Figure:
    """A number whose unit is in the name of its field; None if it was not measured."""

    value: float | None
    source: str

    def __str__(self) -> str:
        return f"{self.value:,.4g} ({self.source})" if self.value is not None else f"not known ({self.source})"


@dataclass(frozen=True)
class Figures:
    """Everything that `plan` needs: seconds, and rates per second."""

    device_seconds: Figure  #: per photo, at the best batch size
    submits_per_core: Figure
    polls_per_core: Figure
    sqlite_photos: Figure  #: complete row lifecycles per second in one file
    postgresql_photos: Figure  #: complete row lifecycles per second on one server
    broker_commands: Figure  #: per second on one server
    photo_commands: Figure  #: broker commands per photo: message, Flower events, throttle and change notices
    photo_bytes: Figure  #: of a cleaned photo in storage

    def given(self, **values: float | None) -> Figures:
        """A copy in which values given as options replace measured ones."""
        return replace(self, **{name: Figure(value, "given") for name, value in values.items() if value is not None})


def read(var: Path) -> Figures:
    """Reads the figures that `make bench` and `make load` wrote to this folder."""
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
        device_seconds=measured(device, f"make bench, row ours or ours-batch, device {on}"),
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
