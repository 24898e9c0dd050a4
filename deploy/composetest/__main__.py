"""Builds the images, brings docker-compose.yml up, sends a photo through it, takes all of it down."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

from deploy.composetest import images, journey
from deploy.composetest.commands import StepError
from deploy.composetest.engine import Engine
from deploy.composetest.service import Service


def main() -> int:
    parser = argparse.ArgumentParser(prog="deploy/test-compose", description=__doc__)
    parser.add_argument("--stay", action="store_true", help="stay up after the journey, until Ctrl-C")
    parser.add_argument(
        "--images",
        type=Path,
        metavar="FOLDER",
        help="keep the private engine's images there for the next run",
    )
    options = parser.parse_args()
    # Ended from outside, it clears up as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="scalpspectra-") as folder:
            test(Path(folder), options.images and options.images.absolute(), stay=options.stay)
    except StepError as failed:
        print(failed, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"The containers do what they should; {time.monotonic() - began:.0f} s in all.")
    return 0


def test(folder: Path, kept: Path | None, *, stay: bool) -> None:
    """`folder` takes what is thrown away afterwards; `kept` the engine's data, where it is to be kept."""
    # Images are large: not /tmp, which may be memory.
    with Engine(
        kept or Path(tempfile.mkdtemp(prefix="scalpspectra-", dir="/var/tmp")), keep=kept is not None
    ) as engine:
        images.prepare_bases(engine)
        images.build_ours(engine)
        with Service(engine, folder) as service:
            journey.take(service)
            if stay:
                print(f"{service.origin} is up; its engine is {engine.address}. Ctrl-C ends both.", flush=True)
                signal.pause()


if __name__ == "__main__":
    sys.exit(main())
