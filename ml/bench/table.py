"""The table of a benchmark: one row per line, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BenchmarkRow:
    """The measurements of one line, over all rounds.

    `p50`, `p95` and `p99` are seconds from submitting a photo to its answer. `times_as_fast` has, for each line of this
    project by name, the median over the rounds of its photos per second divided by this line's. `peak_memory` is the
    peak resident set of the process with the models, in bytes. `difference` is the largest difference of a grader's
    probability from resident eager float32, `difference_share` the mean one (`ml.bench.difference`). `share_of_limit`
    is the GFLOP/s of this line as a share of that of the large matrix product, in the same precision. None means that a
    value does not apply or cannot be measured here.
    """

    name: str
    what: str
    precision: str
    photos_per_second: float
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    times_as_fast: dict[str, float] | None = None
    peak_memory: int | None = None
    difference: float | None = None
    share_of_limit: float | None = None
    note: str = ""
    difference_share: float | None = None


def text(rows: Sequence[BenchmarkRow]) -> str:
    """The rows as a table of fixed width, followed by descriptions and notes."""
    ours = list(dict.fromkeys(name for row in rows for name in row.times_as_fast or ()))
    head = ["line", "precision", "photos/s", "p50 s", "p95 s", "p99 s", *(f"{name} is" for name in ours)]
    head += ["of limit", "memory", "differs by", "of a photo"]
    body = [head, *(_cells(row, ours) for row in rows)]
    widths = [max(len(cells[column]) for cells in body) for column in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ).rstrip()
        for cells in body
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    notes = [f"{row.name}: {row.what}{'; ' + row.note if row.note else ''}." for row in rows]
    return "\n".join([*lines, "", *notes])


def _cells(row: BenchmarkRow, ours: Sequence[str]) -> list[str]:
    times = row.times_as_fast or {}
    return [
        row.name,
        row.precision,
        _number(row.photos_per_second),
        *map(_number, (row.p50, row.p95, row.p99)),
        *(f"{times[name]:.2f} ×" if name in times else "" for name in ours),
        "" if row.share_of_limit is None else f"{row.share_of_limit:.0%}",
        "" if row.peak_memory is None else f"{row.peak_memory / 2**30:.2f} GiB",
        "" if row.difference is None else f"{row.difference:.1e}",
        "" if row.difference_share is None else f"{row.difference_share:.1%}",
    ]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
