"""`python -m tests.environments`: run `make run` in each environment, and print a table of how it went.

Some install everything again, which takes minutes and a package index. Some need root. Exits with 1 if one fails.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from ml.build.from_seeds import build_seeded_bundle
from tests.environments.matrix import SURROUNDINGS, run_in
from tests.support.environment import NotHere

HEAD = """| environment | ready after | a photo | stopped after |
|---|---|---|---|"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.environments", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=SURROUNDINGS, default=[*SURROUNDINGS], help="these environments")
    only = parser.parse_args().only
    failed = []
    with tempfile.TemporaryDirectory(prefix="scalp-environments-") as folder:
        bundle = Path(folder) / "bundle"
        build_seeded_bundle(bundle, architecture="efficientnet-b0", image_size=64, seed=0)
        print(HEAD, flush=True)
        for name in only:
            surroundings = SURROUNDINGS[name]
            try:
                outcome = run_in(surroundings, Path(folder) / name, bundle)
            except NotHere as reason:
                print(f"| {surroundings.sentence} | not here: {reason} | | |", flush=True)
            except (AssertionError, TimeoutError) as error:
                failed.append(f"{name}:\n{error}")
                print(f"| {surroundings.sentence} | **failed** | | |", flush=True)
            else:
                seconds = f"{outcome.ready_seconds:.0f} s | {outcome.status} | {outcome.stop_seconds:.1f} s"
                print(f"| {surroundings.sentence} | {seconds} |", flush=True)
    if failed:
        raise SystemExit("\n\n".join(failed))


if __name__ == "__main__":
    main()
