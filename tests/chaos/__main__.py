"""`make chaos`: every fault under a load of 200 photos; the table goes to var/chaos-DATABASE.md too.

python -m tests.chaos [--photos N] [--seconds N] [--database sqlite|postgresql] [--only NAME…]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description="Break each part under load, and count.")
    parser.add_argument("--photos", type=int, default=200, help="of each fault (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=40, help="over which they are sent (default: %(default)s)")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--only", nargs="+", metavar="NAME", default=[], help="these faults alone")
    parser.add_argument("--list", action="store_true", help="name the faults and leave")
    return parser.parse_args()


def keep_logs(folder: Path) -> None:
    """The parts' logs as they are now, in var/chaos-logs: of the last fault that did not hold."""
    kept = Path("var") / "chaos-logs"
    kept.mkdir(parents=True, exist_ok=True)
    for log in folder.glob("*.log"):
        shutil.copy(log, kept)


def main() -> int:
    chosen = options()
    # The tests' environment reads it the moment that it is loaded.
    os.environ["SCALP_TEST_DATABASE"] = chosen.database if chosen.database == "postgresql" else ""
    from tests.chaos.faults import catalog

    faults = catalog(chosen.database)
    if chosen.list:
        print("\n".join(f"{name:28}{one.sentence}" for name, one in faults.items()))
        return 0
    if unknown := set(chosen.only) - faults.keys():
        print(f"No fault of {chosen.database} has the name {', '.join(sorted(unknown))}. --list names them.")
        return 2

    from ml.build.from_seeds import build_seeded_bundle
    from tests.chaos.matrix import run_fault, table
    from tests.chaos.supervised_stack import SupervisedStack
    from tests.support.environment import ROOT, SCRATCH, NotHere

    bundles = [SCRATCH / version for version in ("1.0.0", "1.0.1")]
    for bundle in bundles:
        build_seeded_bundle(bundle, architecture="efficientnet-b0", image_size=64, seed=1, version=bundle.name)
    stack = SupervisedStack(SCRATCH / "chaos", *bundles, long=True)
    results, skipped = [], []
    report = ROOT / "var" / f"chaos-{chosen.database}.md"
    report.parent.mkdir(exist_ok=True)
    try:
        stack.up()
        for name, one in faults.items():
            if chosen.only and name not in chosen.only:
                continue
            try:
                results.append(run_fault(one, stack, photos=chosen.photos, seconds=chosen.seconds))
                print(f"{name}: {'; '.join(results[-1].wrong) or 'holds'}", flush=True)
                report.write_text(f"{table(results)}\n")
                if results[-1].wrong:
                    keep_logs(stack.folder)
            except NotHere as reason:
                skipped.append(f"{name}: {reason}")
            stack.mend()
    except BaseException:
        keep_logs(stack.folder)
        raise
    finally:
        stack.down()
    print(f"\n{table(results)}\n", *skipped, f"The table is in {report.relative_to(ROOT)}.", sep="\n")
    return int(any(result.wrong or result.lost or result.twice for result in results))


if __name__ == "__main__":
    sys.exit(main())
