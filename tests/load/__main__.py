"""`make load` and `make soak`: real users in numbers against all parts as real processes. JSON in var/load.json.

python -m tests.load [--only traffic|fairness|forecast|pace|limits|soak …] [--minutes N] [--users N] [--json]

traffic   phones, browsers and some without manners; the worker stands still for a third of the time, so the queue fills
fairness  what polite senders wait alone, and beside one who sends all that the throttle lets through
forecast  seconds from the queue to the end, and what the simulation of `deploy.capacity` makes of the same arrivals
pace      submits and polls a second whose 99th percentile stays under 200 ms, from when each was due
limits    rows a second that the databases take, and commands that the broker takes, for `python -m deploy.capacity`
soak      traffic for long, and the memory of each process by the minute (not part of the default)

`SCALP_TEST_DATABASE=postgresql` runs all of it on PostgreSQL.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import shutil
import signal
import statistics
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.support.environment import ROOT

PARTS = ("traffic", "fairness", "forecast", "pace", "limits", "soak")
MIB = 2**20

#: In `traffic`: small enough that a worker that stands still fills it, and as many threads as the web has by default.
QUEUE_LIMIT, WEB_THREADS = 20, 32
#: In `forecast`: parts of its time that the worker is busy.
FORECAST_BUSY = (0.4, 0.7)
#: In `soak`: seconds that a user thinks between two photos, at most. Light: it is memory that is looked for.
SOAK_PAUSE = 20.0
SOAK_WARM_MINUTES = 5.0


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS[:5], help="these parts alone")
    parser.add_argument("--minutes", type=float, help="of traffic (2) or of the soak (30)")
    parser.add_argument("--users", type=int, help="at a time (traffic 40, soak 10)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()

    from tests.support.environment import POSTGRESQL, SCRATCH

    found: dict[str, Any] = {"machine": machine(), "database": "PostgreSQL" if POSTGRESQL else "SQLite"}
    for part in options.only:
        folder = SCRATCH / f"load-{part}"
        folder.mkdir()
        found[part] = RUN[part](folder, options)
        keep(found)  # Of minutes of measuring nothing is lost where a later part fails.
    print(json.dumps(found) if options.json else table(found))
    complaints = [f"{part}: {word}" for part in options.only for word in found[part].get("complaints", [])]
    print(*complaints, sep="\n", file=sys.stderr)
    return 1 if complaints else 0


def keep(found: dict[str, Any]) -> None:
    """Write the figures to var/load.json, beside those of parts that were measured earlier."""
    out = ROOT / "var" / "load.json"
    out.parent.mkdir(exist_ok=True)
    before = json.loads(out.read_text()) if out.exists() else {}
    # Limits add up: those of SQLite come from one run, those of PostgreSQL from another one.
    limits = {**before.get("limits", {}), **found.get("limits", {})}
    out.write_text(json.dumps({**before, **found, "limits": limits}, indent=2) + "\n")


def run_traffic(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    from tests.load.traffic import SETTINGS, traffic

    seconds, users = 60 * (options.minutes or 2), options.users or 40
    with running(folder, **SETTINGS, SCALP_QUEUE_LIMIT=str(QUEUE_LIMIT)) as stack:

        def stand_still() -> None:
            time.sleep(seconds / 3)
            stack.freeze_model()
            time.sleep(seconds / 3)
            stack.kill("model", signal.SIGCONT)

        found = traffic(stack, folder, users=users, seconds=seconds, pause=5, meanwhile=stand_still)
        complaints = found.complaints(QUEUE_LIMIT, WEB_THREADS)
        if not any(name.endswith("503") for name in found.told["refused"]):
            complaints.append("The queue was never full: more users are needed.")
        ends = [entry["seconds"] for entry in found.told["accepted"] if entry["seconds"]]
        return {
            "users": users, "seconds": found.seconds, "accepted": len(found.told["accepted"]),
            "seconds_to_end_p50": statistics.median(ends), "refused": found.told["refused"], "rows": found.rows,
            "queue_limit": QUEUE_LIMIT, "most_waiting": found.most_waiting, "asked": found.told["asked"],
            "complaints": complaints,
        }  # fmt: skip


def run_fairness(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    from tests.load.fairness import fairness
    from tests.load.traffic import SETTINGS

    with running(folder, image_size=224, **SETTINGS, SCALP_MAX_BATCH="1", SCALP_CONCURRENCY="4") as stack:
        pace = stack.rows("Worker.objects.filter(role='model').first().photo_seconds")
        return fairness(stack, rate=0.4 / pace, seconds=30 * (options.minutes or 2))


def run_forecast(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    from tests.load.forecast import forecast
    from tests.load.traffic import SETTINGS

    with running(folder, image_size=224, **SETTINGS, SCALP_MAX_BATCH="1", SCALP_CONCURRENCY="4") as stack:
        return {"rates": [forecast(stack, busy, 30 * (options.minutes or 2)) for busy in FORECAST_BUSY]}


def run_pace(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    import requests

    from tests.bench.service_load import get
    from tests.bench.service_parts import submissions, web_alone
    from tests.load.pace import Step, highest

    def told(found: tuple[Step | None, list[Step]]) -> dict[str, Any]:
        best, steps = found
        return {"holds": best.rate if best else 0, "steps": [asdict(step) for step in steps]}

    with web_alone(folder) as web:
        paths = [f"/api/v1/analyses/{web.submit().json()['id']}/" for _ in range(8)]
        etags = [requests.get(web.url + path, headers={"Accept-Language": "ko"}).headers["ETag"] for path in paths]
        same = itertools.cycle(get(path, If_None_Match=etag) for path, etag in zip(paths, etags, strict=True))
        full = itertools.cycle(get(path) for path in paths)
        return {
            "polls_304": told(highest(web.port, same, 304, start=100, seconds=8)),
            "polls_200": told(highest(web.port, full, 200, start=100, seconds=8)),
            "submits": told(highest(web.port, itertools.cycle(submissions()), 202, start=8, seconds=8)),
        }


def run_soak(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    from tests.load.memory import grown
    from tests.load.traffic import SETTINGS, traffic

    minutes, users = options.minutes or 30, options.users or 10
    with running(folder, **SETTINGS) as stack:
        stack.start("flower")
        found = traffic(stack, folder, users=users, seconds=60 * minutes, pause=SOAK_PAUSE, look_seconds=10)
    looks = [(seconds, look) for seconds, look in found.looks if seconds <= 60 * minutes]
    warm = 60 * min(SOAK_WARM_MINUTES, minutes / 3)
    grew = grown(looks, warm)
    complaints = found.complaints(500, WEB_THREADS)
    complaints += [f"{name} grew from {a / MIB:.0f} to {b / MIB:.0f} MiB" for name, (a, b) in grew.items()]
    told = [minute for minute in (1, 5, 15) if minute < minutes]
    marks = {minute: min(looks, key=lambda look: abs(look[0] - 60 * minute))[1] for minute in (*told, minutes)}
    return {
        "users": users, "minutes": minutes, "accepted": len(found.told["accepted"]), "rows": found.rows,
        "asked": found.told["asked"], "refused": found.told["refused"], "complaints": complaints,
        "mib": {f"{minute:g}": {name: size / MIB for name, size in look.items()} for minute, look in marks.items()},
        "looks": looks,
    }  # fmt: skip


def run_limits(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    from tests.load.limits import broker_commands_per_second, commands_per_photo, lives_per_second, photo_bytes
    from tests.load.traffic import SETTINGS
    from tests.support.environment import POSTGRESQL

    with running(folder, **{**SETTINGS, "SCALP_SUBMITS_PER_MINUTE": "100000"}) as stack:
        commands = commands_per_photo(stack, 40)
        stack.stop("model")
        lives = lives_per_second(stack, 10)
        return {
            "postgresql" if POSTGRESQL else "sqlite": lives,
            "photo_commands": commands,
            "broker_commands": broker_commands_per_second(stack.environment["SCALP_BROKER_URL"], 5),
            "photo_bytes": photo_bytes(),
        }


RUN = {
    "traffic": run_traffic, "fairness": run_fairness, "forecast": run_forecast, "pace": run_pace,
    "limits": run_limits, "soak": run_soak,
}  # fmt: skip


class running:  # noqa: N801 - reads as a context
    """All parts with seven small networks, up inside the `with` and down after it; the logs stay where one broke."""

    def __init__(self, folder: Path, *, image_size: int = 64, **settings: str) -> None:
        from ml.build.from_seeds import build_seeded_bundle
        from tests.support.stack import Stack

        build_seeded_bundle(folder / "bundle", architecture="efficientnet-b0", image_size=image_size, seed=1)
        self.stack, self._folder = Stack(folder, folder / "bundle", **settings), folder

    def __enter__(self) -> Any:
        try:
            return self.stack.up()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.stack.down()
        if kind is not None:
            kept = ROOT / "var" / "load-logs"
            kept.mkdir(parents=True, exist_ok=True)
            for log in self._folder.glob("*.log"):
                shutil.copy(log, kept)


def machine() -> str:
    """The processor and how much of it there is, in words."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    name = names[0].partition(":")[2].strip() if names else platform.processor()
    return f"{len(os.sched_getaffinity(0))} cores of {name}"


def table(found: dict[str, Any]) -> str:
    """The figures as text."""
    lines = [f"{found['machine']}, {found['database']}; the load comes from the same cores"]
    if part := found.get("traffic"):
        refused = ", ".join(f"{count} × {who}" for who, count in sorted(part["refused"].items())) or "none"
        lines += [
            "",
            f"traffic: {part['users']} users for {part['seconds']:.0f} s, {part['accepted']} photos accepted",
            f"  ended                    {part['rows']}",
            f"  refused                  {refused}",
            f"  most waiting at once     {part['most_waiting']}, limit {part['queue_limit']}",
            f"  from sending to the end  p50 {part['seconds_to_end_p50']:.1f} s",
        ]
        lines += _asked(part["asked"])
    if part := found.get("fairness"):
        lines += ["", f"fairness: polite senders at {part['rate']:.2f} photos a second, waits in seconds"]
        for name in ("alone", "beside_a_flooder"):
            waits = part[name]
            lines.append(
                f"  {name.replace('_', ' '):25}p50 {waits['p50']:.2f}  p95 {waits['p95']:.2f}  most {waits['most']:.2f}"
                f"  ({waits['photos']} photos, {waits['photo_seconds']:.3f} s each)"
            )
        lines.append(f"  the flooder got in       {part['flooder_accepted']}")
    if part := found.get("forecast"):
        lines += ["", "forecast: seconds from when a photo was queued to its end, and as simulated"]
        for rate in part["rates"]:
            lines.append(
                f"  {rate['busy']:.0%} busy     p50 {rate['p50']:.2f}, simulated {rate['simulated_p50']:.2f}"
                f"   p95 {rate['p95']:.2f}, simulated {rate['simulated_p95']:.2f}"
                f"  ({rate['photos']} photos, {rate['photo_seconds']:.3f} s each)"
            )
    if part := found.get("pace"):
        lines += ["", "pace: the highest rate a second whose p99 stays under 200 ms, from when each was due"]
        for name in ("polls_304", "polls_200", "submits"):
            steps = ", ".join(f"{step['rate']:.0f}: {1000 * step['p99']:.0f} ms" for step in part[name]["steps"][-4:])
            lines.append(f"  {name.replace('_', ' '):25}{part[name]['holds']:.0f}   (… {steps})")
    if part := found.get("limits"):
        lines += ["", "limits, a second: whole lives of rows by database, commands of the broker", f"  {part}"]
    if part := found.get("soak"):
        lines += ["", f"soak: {part['users']} users for {part['minutes']:g} minutes, {part['accepted']} photos, MiB"]
        marks = part["mib"]
        lines.append("  ".join(["  minute".ljust(20), *(minute.rjust(6) for minute in marks)]))
        for name in marks[next(reversed(marks))]:
            sizes = (f"{look[name]:6.0f}" if name in look else "     –" for look in marks.values())
            lines.append("  ".join([f"  {name}".ljust(20), *sizes]))
        lines += _asked(part["asked"])
    return "\n".join(lines)


def _asked(asked: dict[str, dict[str, float]]) -> list[str]:
    return [
        f"  {name:25}{found['requests']:6.0f}   p50 {1000 * found['p50']:.0f} ms   p99 {1000 * found['p99']:.0f} ms"
        for name, found in sorted(asked.items())
    ]


if __name__ == "__main__":
    sys.exit(main())
