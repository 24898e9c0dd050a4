"""The dashboard's own JSON: its panels and what each asks of Prometheus."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.monitoring.prometheus import MONITORING


@dataclass(frozen=True)
class Query:
    expression: str
    legend: str

    def over(self, window: str) -> str:
        """The expression with Grafana's variable for a window of at least four scrapes filled in."""
        return self.expression.replace("$__rate_interval", window)

    def name(self, labels: dict[str, str]) -> str:
        """The legend of a series, as Grafana fills it in."""
        name = self.legend
        for label, value in labels.items():
            name = name.replace(f"{{{{{label}}}}}", value)
        return name


@dataclass(frozen=True)
class Panel:
    """A panel at its place in a grid of 24 columns; a row's title has no queries."""

    title: str
    kind: str
    place: dict[str, int]
    unit: str
    stacked: bool
    stepped: bool
    description: str
    defaults: dict[str, Any]
    queries: tuple[Query, ...]


def panels() -> list[Panel]:
    board = json.loads((MONITORING / "dashboard.json").read_text())
    return [_panel(panel) for panel in board["panels"]]


def _panel(panel: dict[str, Any]) -> Panel:
    defaults = panel.get("fieldConfig", {}).get("defaults", {})
    custom = defaults.get("custom", {})
    return Panel(
        title=panel["title"],
        kind=panel["type"],
        place=panel["gridPos"],
        unit=defaults.get("unit", "short"),
        stacked=custom.get("stacking", {}).get("mode") == "normal",
        stepped=custom.get("lineInterpolation") == "stepAfter",
        description=panel.get("description", ""),
        defaults=defaults,
        queries=tuple(Query(target["expr"], target["legendFormat"]) for target in panel.get("targets", ())),
    )
