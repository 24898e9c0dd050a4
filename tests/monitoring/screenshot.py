"""`python -m tests.monitoring.screenshot`: the dashboard of a real run with a fault in it, as a picture.

Some hundreds of photos, one after another as people send them; in the middle the model worker is killed, and only half
a minute later started again. The weights are seven small ones, so that the run is about the service.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from ml.build.from_seeds import build_seeded_bundle
from tests.monitoring.drawing import draw
from tests.monitoring.prometheus import MeasuredStack, Prometheus
from tests.monitoring.test_dashboard import dark_photo
from tests.support.environment import ROOT, until
from tests.support.stack import ENDED, scalp_photo

SECONDS = 210.0
PHOTOS_A_SECOND = 1.5
KILLED_AT, STARTED_AT = 90.0, 120.0
WINDOW = "20s"


def main() -> None:
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "var" / "screenshots" / "dashboard.png"
    folder = Path(tempfile.mkdtemp(prefix="scalp-screenshot-"))
    build_seeded_bundle(folder / "bundle", architecture="efficientnet-b0", image_size=64, seed=1)
    stack = MeasuredStack(folder, folder / "bundle", SCALP_LEASE_SECONDS="12", SCALP_RETENTION_HOURS="0.02")
    try:
        stack.up()
        with Prometheus(folder, stack.targets()) as prometheus, ThreadPoolExecutor(128) as people:
            until(lambda: set(prometheus.up().values()) == {"up"}, 30, "three targets that are up")
            begun = time.time()
            sent = _run(stack, people)
            ended = [person.result() for person in sent]
            draw(prometheus, begun, time.time(), WINDOW, file)
    finally:
        stack.down()
    print(f"{len(ended)} photos: { ({status: ended.count(status) for status in sorted(set(ended))}) }")
    print(f"{file}: {file.stat().st_size} bytes")


def _run(stack: MeasuredStack, people: ThreadPoolExecutor) -> list:  # type: ignore[type-arg]
    """Send photos for `SECONDS`, with the fault in between; what each person will have come to."""
    chance = random.Random(1)
    photos = [scalp_photo(seed) for seed in range(12)]
    begun, sent, killed = time.monotonic(), [], False
    while (now := time.monotonic() - begun) < SECONDS:
        if not killed and now > KILLED_AT:
            stack.kill("model")
            killed = True
        if killed and now > STARTED_AT and stack.processes["model"].poll() is not None:
            stack.start("model")
        photo = dark_photo() if chance.random() < 0.08 else chance.choice(photos)
        sent.append(people.submit(_person, stack, photo))
        time.sleep(chance.expovariate(PHOTOS_A_SECOND * (1.6 if 40 < now < 80 else 1.0)))
    return sent


def _person(stack: MeasuredStack, photo: bytes) -> str:
    """Send a photo and poll as the answers say; how it ended."""
    status = stack.submit(photo).json()
    while status["status"] not in ENDED:
        address = f"{stack.url}/api/v1/analyses/{status['id']}/"
        answer = requests.get(address, headers={"Prefer": "wait=5"}, timeout=60)
        if "Preference-Applied" not in answer.headers:
            time.sleep(float(answer.headers.get("Retry-After", 0)))
        status = answer.json()
    return str(status["status"])


if __name__ == "__main__":
    main()
