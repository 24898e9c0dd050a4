"""Estimates the capacity that a load needs, by formula and, with --simulate, by simulation.

python -m deploy.capacity --photos-per-second 100 [--device-seconds 0.02 …] [--simulate]

Figures come from the options, else from var/bench.json (`make bench`) and var/load.json (`make load`); figures that
were not measured are shown as "not known". Measure on a machine like the one that you plan for: seconds per photo on a
CPU say nothing about a GPU.
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import asdict
from pathlib import Path

from deploy.capacity.figures import read
from deploy.capacity.formulas import batch_latency
from deploy.capacity.plan import Demand, plan, text
from deploy.capacity.simulation import linear, poisson, simulate

VAR = Path(__file__).resolve().parent.parent.parent / "var"
SIMULATED_PHOTOS = 50_000

#: Each figure is also an option; the help text of each.
OPTIONS = {
    "device_seconds": "device seconds per photo, at the best batch size",
    "submits_per_core": "submits per second and web core",
    "polls_per_core": "polls per second and web core",
    "sqlite_photos": "photos per second that one SQLite file can record",
    "postgresql_photos": "photos per second that one PostgreSQL server can record",
    "broker_commands": "commands per second that one Redis can process",
    "photo_commands": "broker commands per photo",
    "photo_bytes": "bytes per stored photo",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.capacity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos-per-second", type=float, nargs="+", default=[1, 100, 10_000], help="daily mean")
    parser.add_argument("--peak", type=float, default=2.0, help="peak-to-mean ratio, 1 to 2 (assumed: %(default)s)")
    parser.add_argument("--wait", type=float, default=10.0, help="maximum wait at peak in seconds, 95th percentile")
    parser.add_argument("--busy", type=float, default=0.7, help="maximum utilization at peak")
    parser.add_argument("--retention-hours", type=float, default=24.0, help="how long photos are kept")
    parser.add_argument("--var", type=Path, default=VAR, help="folder with bench.json and load.json")
    parser.add_argument("--simulate", action="store_true", help="also simulate the devices at peak")
    parser.add_argument(
        "--batch",
        type=float,
        nargs=3,
        metavar=("FIXED", "EACH", "MOST"),
        help="a batch of b ≤ MOST photos takes FIXED + EACH · b seconds; sets --device-seconds",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    for name, meaning in OPTIONS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, help=meaning)
    options = parser.parse_args()
    if options.batch:
        fixed, each, most = options.batch
        options.device_seconds = fixed / most + each
    figures = read(options.var).given(**{name: getattr(options, name) for name in OPTIONS})
    if not 1 <= options.peak <= 2 or not 0 < options.busy < 1 or min(options.photos_per_second) <= 0:
        parser.error("--peak must be from 1 to 2, --busy between 0 and 1, and --photos-per-second above 0.")
    plans = [
        plan(Demand(photos, options.peak, options.wait, options.busy, options.retention_hours), figures)
        for photos in options.photos_per_second
    ]
    if options.json:
        print(
            json.dumps([{**asdict(found), "bottlenecks": [part.name for part in found.bottlenecks]} for found in plans])
        )
        return
    for place, found in enumerate(plans):
        print("\n" * bool(place) + text(found))
        devices, seconds = found.parts[0].needed, figures.device_seconds.value
        if options.simulate and devices and seconds:
            fixed, each, most = options.batch or (0.0, seconds, 1)
            print(f"\nsimulated: {_simulated(found.demand.at_peak, devices, fixed, each, int(most))}")
            if options.batch:
                latency = batch_latency(found.demand.at_peak / devices, fixed, each)
                print(f"by formula, with unlimited batches: mean latency at most {latency:.3g} s (Inoue)")


def _simulated(rate: float, devices: int, fixed: float, each: float, most: int) -> str:
    rng = random.Random(1)  # noqa: S311 - a simulation
    found = simulate(poisson(rate, SIMULATED_PHOTOS / rate, rng), devices, linear(fixed, each), most=most, rng=rng)
    return (
        f"{len(found.waits):,} photos at peak, wait p50 {found.wait(0.5):.3g} s, p95 {found.wait(0.95):.3g} s, "
        f"device utilization {found.busy:.0%}"
    )


if __name__ == "__main__":
    main()
