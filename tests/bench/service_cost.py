"""What the service itself costs beside its models: submits and polls a core, a long line, a photo when idle.

python -m tests.bench.service_cost [--database sqlite|postgresql] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

DATABASES = ("sqlite", "postgresql")
LINES = (100, 100_000)  #: rows waiting


def service_cost(databases: tuple[str, ...] = DATABASES) -> dict[str, dict[str, Any]]:
    """The figures by database, seconds and answers a second; each measured by a process of its own.

    Django's settings are read once a process. Raises CalledProcessError where one fails.
    """
    figures = {}
    for database in databases:
        command = [sys.executable, "-m", "tests.bench.service_cost", "--database", database, "--json"]
        environment = {**os.environ, "SCALP_TEST_DATABASE": database}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        figures |= json.loads(done.stdout)
    return figures


def measure(database: str, *, seconds: float = 3.0, rounds: int = 5, photos: int = 40) -> dict[str, Any]:
    """The figures of one database, for which `tests.support.environment` was told of it before this process began."""
    import django

    from tests.support.environment import SCRATCH, postgresql

    assert (postgresql is not None) == (database == "postgresql")
    django.setup()
    from ml.build.from_seeds import build_seeded_bundle
    from tests.bench.service_parts import idle_cost, rows_cost, web_cost
    from tests.support.stack import Stack

    with tempfile.TemporaryDirectory(dir=SCRATCH) as name:
        folder = Path(name)
        lines = {}
        for rows in LINES:
            at = folder / f"rows-{rows}"
            at.mkdir()
            stack = Stack(at, at, SCALP_QUEUE_LIMIT="1000000")
            stack.migrate()
            lines[rows] = stack.environment
        for part in ("web", "idle"):
            (folder / part).mkdir()
        build_seeded_bundle(folder / "bundle", architecture="efficientnet-b0", image_size=64, seed=1)
        return {
            **web_cost(folder / "web", seconds),
            **idle_cost(folder / "idle", folder / "bundle", photos),
            "rows": rows_cost(lines, rounds),
        }


def table(figures: dict[str, dict[str, Any]]) -> str:
    """The figures as text, a column a database."""
    lines = [("", *figures)]
    for name, figure, told, unit in (
        ("polls answered 304, a second and core", "polls_304_per_core", ",.0f", 1),
        ("polls answered 200, a second and core", "polls_200_per_core", ",.0f", 1),
        ("submits, a second and core", "submits_per_core", ",.0f", 1),
        ("load generator busy, at most", "generator_busy", ".0%", 1),
        ("queue overhead at idle, p50, ms", "queue_overhead_p50", ".1f", 1000),
        ("queue overhead at idle, p95, ms", "queue_overhead_p95", ".1f", 1000),
        ("submit at idle, p50, ms", "submit_p50", ".1f", 1000),
        ("cleaning the photo, ms", "photo_clean_seconds", ".1f", 1000),
        ("inference with small networks, p50, ms", "inference_p50", ".1f", 1000),
    ):
        lines.append((name, *(format(found[figure] * unit, told) for found in figures.values())))
    for step in next(iter(figures.values()))["rows"]:
        cells = []
        for found in figures.values():
            short, long = found["rows"][step].values()
            cells.append(f"{short * 1000:.2f} → {long * 1000:.2f} ({long / short:.2f} ×)")
        lines.append((f"{step}, {LINES[0]:,} → {LINES[1]:,} rows waiting, ms", *cells))
    widths = [max(len(cells[column]) for cells in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ).rstrip()
        for cells in lines
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=DATABASES, help="this one alone")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    given = parser.parse_args()
    if given.database and os.environ.get("SCALP_TEST_DATABASE") == given.database:
        figures = {given.database: measure(given.database)}
    else:
        figures = service_cost((given.database,) if given.database else DATABASES)
    print(json.dumps(figures) if given.json else table(figures))


if __name__ == "__main__":
    main()
