"""`make fuzz`: all of the corpus, and schemathesis with many examples, against the running web server.

python -m tests.hostile [--seed N] [--examples N] [--only FAMILY…] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.support.environment import ROOT  # First: Django's settings come from it.


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1, help="moves the places of the damage (default 1)")
    parser.add_argument("--examples", type=int, default=300, help="schemathesis: of each operation and phase; 0: none")
    parser.add_argument("--only", nargs="*", default=[], metavar="FAMILY", help="families of the corpus")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "hostile.json", help="figures as JSON")
    options = parser.parse_args()

    import django

    django.setup()
    from tests.hostile.trial import front

    folder = Path(tempfile.mkdtemp(prefix="scalp-hostile-"))
    stack = front(folder)
    try:
        stack.up_web(broker=True)
        told, faults = attack(stack, options)
        said = stack.log("web").read_text()
        faults += [f"the web server's log holds {word}" for word in ("internal_error", "Traceback") if word in said]
    finally:
        stack.down()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({**told, "faults": faults}, indent=1, ensure_ascii=False) + "\n")
    print("\n".join([f"{len(faults)} findings.", *faults]))
    if faults:
        print(f"Logs: {folder}")
    else:
        shutil.rmtree(folder)
    return min(len(faults), 1)


def attack(stack: Any, options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """The figures, and what was found."""
    from tests.hostile.corpus import corpus, sample
    from tests.hostile.openapi import fuzz_api
    from tests.hostile.trial import Trial, figures, slowest, table

    trial = Trial(stack)
    trial.hold(sample(100, options.seed))  # What a process needs once and keeps it takes here.
    report = trial.hold(case for case in corpus(options.seed) if not options.only or case.family in options.only)
    print(table(report))
    for answer in slowest(report):
        print(f"  {answer.seconds:6.2f} s  {answer.case}")
    told = figures(report)
    faults = list(report.faults)
    if options.examples:
        fuzzed = fuzz_api(stack, examples=options.examples, seed=options.seed)
        print(f"schemathesis: {fuzzed.tried} requests")
        told["schemathesis"] = {"requests": fuzzed.tried}
        if not fuzzed.fine:
            faults.append(fuzzed.said)
    return told, faults


if __name__ == "__main__":
    sys.exit(main())
