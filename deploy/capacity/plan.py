"""The parts that so many photos a second need, which one is the first not to suffice alone, and what changes then."""

from __future__ import annotations

import math
from dataclasses import dataclass

from deploy.capacity.figures import PHOTO_POLLS, Figure, Figures
from deploy.capacity.formulas import in_system, servers_for, wait_below

DAY_SECONDS = 86400


@dataclass(frozen=True)
class Demand:
    """What is asked of the service; `photos` is the day's mean a second and `peak` the busiest moment over it."""

    photos: float
    peak: float = 2.0
    wait_seconds: float = 10.0  #: that 95 of 100 photos wait no longer than, at the peak
    most_busy: float = 0.7  #: part of its time that a part may be busy at the peak, so that bursts and a loss fit in
    retention_hours: float = 24.0

    @property
    def at_peak(self) -> float:
        return self.photos * self.peak


@dataclass(frozen=True)
class Part:
    """One kind of part: how many are needed at the peak, and how many photos a second one serves; None: not known.

    0 are needed where no number of them would do.
    """

    name: str
    needed: int | None
    one_serves: float | None
    reckoned: str  #: how, with the figures
    then: str  #: what changes where one is not enough


@dataclass(frozen=True)
class Plan:
    demand: Demand
    parts: list[Part]
    facts: list[str]

    @property
    def bottlenecks(self) -> list[Part]:
        """The parts of which one is not enough for the peak, the first to give way first."""
        short = [part for part in self.parts if part.one_serves is not None and part.one_serves < self.demand.at_peak]
        return sorted(short, key=lambda part: part.one_serves or 0)


def plan(demand: Demand, figures: Figures) -> Plan:
    """Reckon all parts for the peak; what hangs on a figure that nobody measured is not known and says so."""
    peak = demand.at_peak
    parts = [
        _devices(demand, figures),
        _web(demand, figures),
        _store(
            "SQLite file",
            figures.sqlite_photos,
            demand,
            "PostgreSQL by SCALP_DATABASE_URL: SQLite has one writer at a time, on one machine.",
            several=False,
        ),
        _store(
            "PostgreSQL server",
            figures.postgresql_photos,
            demand,
            "Polls go to replicas or are answered by ETag from a cache. Then analyses are parted by id over several "
            "servers: no query joins two of them but the statistics and the length of the line, which can be summed.",
        ),
        _broker(demand, figures),
    ]
    facts = [
        f"at the peak {peak:,.4g} photos a second, in the day's mean {demand.photos:,.4g}, "
        f"{demand.photos * DAY_SECONDS:,.0f} a day"
    ]
    if figures.device_seconds.value:
        seconds, devices = figures.device_seconds.value, parts[0].needed
        assert devices is not None
        wait = wait_below(0.95, peak, seconds, devices)
        facts.append(f"with {devices:,} devices 95 of 100 wait less than {wait:.2g} s at the peak (Allen, Cunneen)")
    if figures.photo_bytes.value:
        kept = in_system(demand.photos, demand.retention_hours * 3600) * figures.photo_bytes.value
        facts.append(
            f"photos in storage: {kept / 1e9:,.3g} GB kept for {demand.retention_hours:g} h (Little), written at "
            f"{peak * figures.photo_bytes.value / 1e6:,.3g} MB a second"
        )
        if kept > 1e12:
            facts.append("that is no disk's any more: object storage by SCALP_STORAGE_URL=s3://…")
    return Plan(demand, parts, facts)


def _devices(demand: Demand, figures: Figures) -> Part:
    seconds = figures.device_seconds.value
    then = "More model workers, on any host, on the same broker: nothing else has to know of them."
    if not seconds:
        return Part("device (GPU, or CPU cores)", None, None, f"seconds a photo {figures.device_seconds}", then)
    needed = servers_for(demand.at_peak, seconds, part=0.95, within=demand.wait_seconds, most_busy=demand.most_busy)
    reckoned = f"{figures.device_seconds} s a photo, busy {demand.most_busy:.0%}"
    return Part("device (GPU, or CPU cores)", needed, demand.most_busy / seconds, reckoned, then)


def _web(demand: Demand, figures: Figures) -> Part:
    then = "More web processes and hosts behind the proxy: they share nothing but the database, broker and storage."
    submits, polls = figures.submits_per_core, figures.polls_per_core
    if not submits.value or not polls.value:
        return Part("core for the web", None, None, f"submits a core {submits}; polls a core {polls}", then)
    a_photo = 1 / submits.value + PHOTO_POLLS / polls.value
    reckoned = f"{submits} submits and {polls} polls a second and core, {PHOTO_POLLS:g} polls a photo"
    return Part(
        "core for the web", math.ceil(demand.at_peak * a_photo / demand.most_busy), demand.most_busy / a_photo,
        reckoned, then,
    )  # fmt: skip


def _store(name: str, lives: Figure, demand: Demand, then: str, *, several: bool = True) -> Part:
    if not lives.value:
        return Part(name, None, None, f"photos a second {lives}", then)
    serves = demand.most_busy * lives.value
    needed = math.ceil(demand.at_peak / serves)
    return Part(name, needed if several or needed == 1 else 0, serves, f"{lives} photos a second at most", then)


def _broker(demand: Demand, figures: Figures) -> Part:
    then = (
        "Events for Flower go first (no -E on the workers), then one list of bells a region or host group, each on a "
        "Redis of its own: the rows know what waits, so a list that is lost is only rung for again."
    )
    commands, limit = figures.photo_commands, figures.broker_commands
    if not commands.value or not limit.value:
        return Part("Redis server", None, None, f"commands a photo {commands}; commands a second {limit}", then)
    serves = demand.most_busy * limit.value / commands.value
    reckoned = f"{commands} commands a photo, {limit} a second"
    return Part("Redis server", math.ceil(demand.at_peak / serves), serves, reckoned, then)


def text(found: Plan) -> str:
    """The plan as a table, the order in which parts give way, and what changes then."""
    lines = [*found.facts, "", f"{'part':28}{'needed':>12}{'one serves':>14}   reckoned from"]
    for part in found.parts:
        needed = "not known" if part.needed is None else f"{part.needed:,}" if part.needed else "will not do"
        serves = f"{part.one_serves:,.3g}/s" if part.one_serves is not None else "not known"
        lines.append(f"{part.name:28}{needed:>12}{serves:>14}   {part.reckoned}")
    if not found.bottlenecks:
        known = [part.name for part in found.parts if part.one_serves is not None]
        lines += ["", f"Of each one is enough, as far as they are known: {', '.join(known) or 'none is'}."]
    for place, part in enumerate(found.bottlenecks, 1):
        which = "First bottleneck" if place == 1 else "Then"
        lines += ["", f"{which}: the {part.name}, past {part.one_serves:,.3g} photos a second. {part.then}"]
    return "\n".join(lines)
