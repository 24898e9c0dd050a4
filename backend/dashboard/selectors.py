"""The last 24 hours, and the current state of queue and workers.

All queries use the index on the time of arrival, so the cost depends on the photos of one day, not on the whole table.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, DateTimeField, F, FloatField, Func, QuerySet, Value
from django.db.models.functions import Floor
from django.utils import timezone

from backend.analyses.models import Analysis
from backend.analyses.selectors.queue import QueueOutlook, queue_outlook
from backend.analyses.states import Status
from backend.operations.models import Worker
from backend.operations.selectors import fresh_worker_names
from ml.labels import GRADES, SYMPTOMS

HOURS = 24
#: Outcomes of a completed analysis.
ANALYZED = frozenset({Status.SUCCEEDED, Status.REJECTED})


class Seconds(Func):
    """Seconds between two times, computed by the database."""

    output_field = FloatField()

    def __init__(self, until: Any, since: Any) -> None:
        super().__init__(until, since)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template, joiner = "((julianday(%(expressions)s)) * 86400.0)", ") - julianday("
        return self.as_sql(compiler, connection, template=template, arg_joiner=joiner, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "EXTRACT(EPOCH FROM %(expressions)s)::double precision"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" - ", **context)


@dataclass(frozen=True)
class Durations:
    """The number of durations, their median and 95th percentile in seconds; None if there are none."""

    count: int
    median: float | None
    p95: float | None

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Durations:
        ordered = sorted(seconds)
        if not ordered:
            return cls(0, None, None)
        return cls(len(ordered), *(ordered[math.ceil(share * len(ordered)) - 1] for share in (0.5, 0.95)))


@dataclass(frozen=True)
class Hour:
    """The photos that arrived in one hour."""

    begins: datetime
    by_status: Counter[Status]
    queue_wait: Durations
    end_to_end: Durations


@dataclass(frozen=True)
class GradeCounts:
    """How often each grade of one symptom was found, 0 to 3, and how often the grader abstained."""

    symptom: str
    counts: tuple[int, ...]
    abstained: int


@dataclass(frozen=True)
class LastDay:
    """The photos that arrived in the last 24 hours; `today` counts those since midnight.

    `grades` counts findings from real weights, `grades_of_demo` those from demo weights, which say nothing about
    anyone. `bundles` counts results by bundle and by whether its weights are demo weights.
    """

    since: datetime
    midnight: datetime
    today: Counter[Status]
    hours: tuple[Hour, ...]
    queue_wait: Durations
    end_to_end: Durations
    rejections: Counter[str]
    failures: Counter[str]
    bundles: Counter[tuple[str, bool]]
    grades: tuple[GradeCounts, ...]
    grades_of_demo: tuple[GradeCounts, ...]


@dataclass(frozen=True)
class CurrentState:
    """The queue and the workers; `fresh` has the names of the workers with a recent heartbeat."""

    outlook: QueueOutlook
    workers: tuple[Worker, ...]
    fresh: frozenset[str]


def current_state() -> CurrentState:
    return CurrentState(queue_outlook(), tuple(Worker.objects.order_by("role", "name")), fresh_worker_names())


def last_day(now: datetime | None = None) -> LastDay:
    """The 24 hours that end with the current one. Hours and midnight are in the service's time zone."""
    now = timezone.localtime(now)
    since = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    rows = Analysis.objects.filter(created_at__gte=since).annotate(
        hour=Floor(Seconds(F("created_at"), Value(since, DateTimeField())) / 3600.0)
    )

    statuses: dict[int, Counter[Status]] = defaultdict(Counter)
    rejections, failures, bundles = Counter[str](), Counter[str](), Counter[tuple[str, bool]]()
    grouped = rows.values_list("hour", "status", "code", "bundle", "demo").annotate(n=Count("id"))
    for hour, status, code, bundle, demo, count in grouped.order_by():
        statuses[int(hour)][Status(status)] += count
        if status == Status.REJECTED:
            rejections[code] += count
        elif status == Status.FAILED:
            failures[code] += count
        if status in ANALYZED:
            bundles[bundle, demo] += count

    waits, wholes = _durations(rows)
    hours = tuple(
        Hour(since + timedelta(hours=n), statuses[n], Durations.of(waits[n]), Durations.of(wholes[n]))
        for n in range(HOURS)
    )
    return LastDay(
        since=since,
        midnight=midnight,
        today=sum((hour.by_status for hour in hours if hour.begins >= midnight), Counter()),
        hours=hours,
        queue_wait=Durations.of(seconds for hour in waits.values() for seconds in hour),
        end_to_end=Durations.of(seconds for hour in wholes.values() for seconds in hour),
        rejections=rejections,
        failures=failures,
        bundles=bundles,
        **_grade_counts(since),
    )


def _durations(rows: QuerySet[Analysis]) -> tuple[dict[int, list[float]], dict[int, list[float]]]:
    """By hour of arrival, the seconds until a worker started each photo and until it had a result."""
    waits: dict[int, list[float]] = defaultdict(list)
    wholes: dict[int, list[float]] = defaultdict(list)
    taken = rows.filter(started_at__isnull=False).values_list(
        "hour", "status", Seconds(F("started_at"), F("queued_at")), Seconds(F("finished_at"), F("queued_at"))
    )
    for hour, status, wait, whole in taken.iterator():
        waits[int(hour)].append(wait)
        if status in ANALYZED:
            wholes[int(hour)].append(whole)
    return waits, wholes


def _grade_counts(since: datetime) -> dict[str, tuple[GradeCounts, ...]]:
    """The findings by weights, symptom and grade; empty for weights without findings."""
    counts: Counter[tuple[bool, str, int | None]] = Counter()
    # Starting from the findings, SQLite would scan all of them.
    rows = Analysis.objects.filter(created_at__gte=since)
    found = rows.values_list("demo", "findings__symptom", "findings__grade", "findings__abstains")
    for demo, symptom, grade, abstains, count in found.annotate(n=Count("findings")).order_by():
        if symptom is not None:  # A photo without findings.
            counts[demo, symptom, None if abstains else grade] += count

    def table(demo: bool) -> tuple[GradeCounts, ...]:
        if not any(key[0] is demo for key in counts):
            return ()
        return tuple(
            GradeCounts(s.key, tuple(counts[demo, s.key, n] for n in range(len(GRADES))), counts[demo, s.key, None])
            for s in SYMPTOMS
        )

    return {"grades": table(False), "grades_of_demo": table(True)}
