"""Builds the images, starts docker-compose.yml, sends a photo through it, and removes everything again."""

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
    parser.add_argument("--stay", action="store_true", help="keep the service running after the test, until Ctrl-C")
    parser.add_argument(
        "--images",
        type=Path,
        metavar="FOLDER",
        help="keep the private engine's images in this folder for the next run",
    )
    options = parser.parse_args()
    # Clean up on SIGTERM as well.
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
    print(f"All container tests passed in {time.monotonic() - began:.0f} s.")
    return 0


def test(folder: Path, kept: Path | None, *, stay: bool) -> None:
    """`folder` is for temporary files; `kept`, if given, keeps the engine's data."""
    # Images are too large for /tmp, which may be in memory.
    with Engine(
        kept or Path(tempfile.mkdtemp(prefix="scalpspectra-", dir="/var/tmp")), keep=kept is not None
    ) as engine:
        images.prepare_bases(engine)
        images.build_images(engine)
        with Service(engine, folder) as service:
            journey.run_all(service)
            if stay:
                print(f"{service.origin} is up on the engine {engine.address}. Ctrl-C stops both.", flush=True)
                signal.pause()


if __name__ == "__main__":
    sys.exit(main())
