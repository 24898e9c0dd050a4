"""Sizes each part for a load, finds the first bottleneck, and says how to get past it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from deploy.capacity.figures import PHOTO_POLLS, Figure, Figures
from deploy.capacity.formulas import in_system, servers_for, wait_quantile

DAY_SECONDS = 86400


@dataclass(frozen=True)
class Demand:
    """The load to plan for."""

    photos: float  #: per second, the daily mean
    peak: float = 2.0  #: peak-to-mean ratio
    wait_seconds: float = 10.0  #: maximum wait at peak, 95th percentile
    max_utilization: float = 0.7  #: at peak; the rest absorbs bursts and the loss of a server
    retention_hours: float = 24.0

    @property
    def at_peak(self) -> float:
        return self.photos * self.peak


@dataclass(frozen=True)
class Resource:
    """One kind of part of the service; a value is None if a figure that it needs was not measured."""

    name: str
    needed: int | None  #: at peak; 0 if no number of them is enough
    one_serves: float | None  #: photos per second
    basis: str  #: the figures behind the estimate
    then: str  #: what to do when one is not enough


@dataclass(frozen=True)
class Plan:
    demand: Demand
    parts: list[Resource]
    facts: list[str]

    @property
    def bottlenecks(self) -> list[Resource]:
        """The parts of which one is not enough at peak, in the order in which they reach their limit."""
        short = [part for part in self.parts if part.one_serves is not None and part.one_serves < self.demand.at_peak]
        return sorted(short, key=lambda part: part.one_serves or 0)


def plan(demand: Demand, figures: Figures) -> Plan:
    """Sizes every part for the peak; a part whose figures were not measured is not known."""
    peak = demand.at_peak
    parts = [
        _devices(demand, figures),
        _web(demand, figures),
        _store(
            "SQLite file",
            figures.sqlite_photos,
            demand,
            "Set SCALP_DATABASE_URL to PostgreSQL: SQLite allows one writer at a time, on one machine.",
            several=False,
        ),
        _store(
            "PostgreSQL server",
            figures.postgresql_photos,
            demand,
            "Send polls to replicas, or answer them from a cache by ETag. After that, shard analyses by id: only the "
            "statistics and the queue length span several analyses, and both can be summed over shards.",
        ),
        _broker(demand, figures),
    ]
    facts = [
        f"{peak:,.4g} photos per second at peak, {demand.photos:,.4g} on average, "
        f"{demand.photos * DAY_SECONDS:,.0f} per day"
    ]
    if figures.device_seconds.value:
        seconds, devices = figures.device_seconds.value, parts[0].needed
        assert devices is not None
        wait = wait_quantile(0.95, peak, seconds, devices)
        facts.append(f"with {devices:,} devices, 95% of photos wait less than {wait:.2g} s at peak (Allen, Cunneen)")
    if figures.photo_bytes.value:
        kept = in_system(demand.photos, demand.retention_hours * 3600) * figures.photo_bytes.value
        facts.append(
            f"photo storage: {kept / 1e9:,.3g} GB, kept for {demand.retention_hours:g} h (Little), written at "
            f"{peak * figures.photo_bytes.value / 1e6:,.3g} MB per second at peak"
        )
        if kept > 1e12:
            facts.append("that is too much for one disk: use object storage, SCALP_STORAGE_URL=s3://…")
    return Plan(demand, parts, facts)


def _devices(demand: Demand, figures: Figures) -> Resource:
    seconds = figures.device_seconds.value
    then = "Add model workers, on any host that reaches the same broker; nothing else needs to change."
    if not seconds:
        return Resource("device (GPU, or CPU cores)", None, None, f"seconds per photo {figures.device_seconds}", then)
    limit = demand.max_utilization
    needed = servers_for(demand.at_peak, seconds, quantile=0.95, max_wait=demand.wait_seconds, max_utilization=limit)
    basis = f"{figures.device_seconds} s per photo, utilization {limit:.0%}"
    return Resource("device (GPU, or CPU cores)", needed, limit / seconds, basis, then)


def _web(demand: Demand, figures: Figures) -> Resource:
    then = "Add web processes and hosts behind the proxy: they share only the database, the broker and the storage."
    submits, polls = figures.submits_per_core, figures.polls_per_core
    if not submits.value or not polls.value:
        return Resource("web core", None, None, f"submits per core {submits}; polls per core {polls}", then)
    core_seconds = 1 / submits.value + PHOTO_POLLS / polls.value
    basis = f"{submits} submits and {polls} polls per second and core, {PHOTO_POLLS:g} polls per photo"
    needed = math.ceil(demand.at_peak * core_seconds / demand.max_utilization)
    return Resource("web core", needed, demand.max_utilization / core_seconds, basis, then)


def _store(name: str, photos: Figure, demand: Demand, then: str, *, several: bool = True) -> Resource:
    if not photos.value:
        return Resource(name, None, None, f"photos per second {photos}", then)
    serves = demand.max_utilization * photos.value
    needed = math.ceil(demand.at_peak / serves)
    return Resource(name, needed if several or needed == 1 else 0, serves, f"at most {photos} photos per second", then)


def _broker(demand: Demand, figures: Figures) -> Resource:
    then = (
        "Turn off the events for Flower first (no -E on the workers). After that, use one queue per region or host "
        "group, each on its own Redis: the database knows what is queued, so lost messages are simply sent again."
    )
    commands, limit = figures.photo_commands, figures.broker_commands
    if not commands.value or not limit.value:
        return Resource("Redis server", None, None, f"commands per photo {commands}; commands per second {limit}", then)
    serves = demand.max_utilization * limit.value / commands.value
    basis = f"{commands} commands per photo, {limit} per second"
    return Resource("Redis server", math.ceil(demand.at_peak / serves), serves, basis, then)


def text(found: Plan) -> str:
    """The plan as a table, followed by the bottlenecks in order and what to do about each."""
    lines = [*found.facts, "", f"{'part':28}{'needed':>12}{'one serves':>14}   based on"]
    for part in found.parts:
        needed = "not known" if part.needed is None else f"{part.needed:,}" if part.needed else "not enough"
        serves = f"{part.one_serves:,.3g}/s" if part.one_serves is not None else "not known"
        lines.append(f"{part.name:28}{needed:>12}{serves:>14}   {part.basis}")
    if not found.bottlenecks:
        known = [part.name for part in found.parts if part.one_serves is not None]
        lines += ["", f"No bottleneck among the parts with known figures: {', '.join(known) or 'none are known'}."]
    for place, part in enumerate(found.bottlenecks):
        which = "Next bottleneck" if place else "First bottleneck"
        lines += ["", f"{which}: the {part.name}, above {part.one_serves:,.3g} photos per second. {part.then}"]
    return "\n".join(lines)
