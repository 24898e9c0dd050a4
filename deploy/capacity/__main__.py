"""The parts that so many photos a second need, on paper and checked by simulation.

python -m deploy.capacity --photos-per-second 100 [--device-seconds 0.02 …] [--simulate]

Figures come from var/bench.json (`make bench`) and var/load.json (`make load, limits`) where these are, else from the
options; what nobody measured stays "not known". A figure is worth as much as the machine that it was measured on is
like the one it is used for: seconds a photo on a CPU say nothing of a GPU.
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

#: An option for each figure: its name there, and what it is.
OPTIONS = {
    "device_seconds": "seconds of one device a photo, in the batches that suit it",
    "submits_per_core": "submits a second that one core for the web answers",
    "polls_per_core": "polls a second that one core for the web answers",
    "sqlite_photos": "photos a second whose rows one SQLite file takes",
    "postgresql_photos": "photos a second whose rows one PostgreSQL server takes",
    "broker_commands": "commands a second that one Redis takes",
    "photo_commands": "commands to the broker for one photo",
    "photo_bytes": "bytes of a photo in storage",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.capacity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos-per-second", type=float, nargs="+", default=[1, 100, 10_000], help="the day's mean")
    parser.add_argument("--peak", type=float, default=2.0, help="busiest moment over the mean, 1 to 2: an assumption")
    parser.add_argument("--wait", type=float, default=10.0, help="seconds that 95 of 100 wait at most at the peak")
    parser.add_argument("--busy", type=float, default=0.7, help="part of its time that a part may be busy at the peak")
    parser.add_argument("--retention-hours", type=float, default=24.0)
    parser.add_argument("--var", type=Path, default=VAR, help="folder with bench.json and load.json")
    parser.add_argument("--simulate", action="store_true", help="run the devices event by event at the peak as well")
    parser.add_argument(
        "--batch",
        type=float,
        nargs=3,
        metavar=("FIXED", "EACH", "MOST"),
        help="a batch of b takes FIXED + EACH b seconds, MOST photos at most: gives the seconds of a device a photo",
    )
    parser.add_argument("--json", action="store_true")
    for name, what in OPTIONS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, help=what)
    options = parser.parse_args()
    if options.batch:
        fixed, each, most = options.batch
        options.device_seconds = fixed / most + each
    figures = read(options.var).given(**{name: getattr(options, name) for name in OPTIONS})
    if not 1 <= options.peak <= 2 or not 0 < options.busy < 1 or min(options.photos_per_second) <= 0:
        parser.error("--peak lies between 1 and 2, --busy between 0 and 1, and photos a second above 0.")
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
                print(f"on paper, batches without a bound: {latency:.3g} s to the answer in the mean at most (Inoue)")


def _simulated(rate: float, devices: int, fixed: float, each: float, most: int) -> str:
    rng = random.Random(1)  # noqa: S311 - a simulation
    found = simulate(poisson(rate, SIMULATED_PHOTOS / rate, rng), devices, linear(fixed, each), most=most, rng=rng)
    return (
        f"{len(found.waits):,} photos at the peak, wait p50 {found.wait(0.5):.3g} s, p95 {found.wait(0.95):.3g} s, "
        f"devices busy {found.busy:.0%}"
    )


if __name__ == "__main__":
    main()
