"""Locust against a running stack, and whether everything that it was promised came true."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.load.memory import MemoryWatch
from tests.support.environment import ROOT, until
from tests.support.stack import Stack, scalp_photo

#: What a stack under load is told: one proxy in front, so that each user has an address of its own, and real leases.
SETTINGS = {"SCALP_TRUSTED_PROXIES": "1", "SCALP_SUBMITS_PER_MINUTE": "20", "SCALP_LEASE_SECONDS": "60"}
SPAWNED_A_SECOND = 5
#: Of all requests, those that may find that their connection was just closed for want of use.
CUT_OFF_SHARE = 0.01
FINISHING_SECONDS = 60  #: for tasks that are in the middle when the time is up


@dataclass(frozen=True)
class Traffic:
    """What the users saw, and what became of all that was accepted."""

    seconds: float
    told: dict[str, Any]  #: as the locust file writes it
    most_waiting: int  #: in the queue at any of the looks, one a second
    rows: dict[str, int]  #: analyses by status, with humans, findings and files of photos
    looks: list[tuple[float, dict[str, int]]]  #: `MemoryWatch.looks`
    ids: frozenset[str]  #: of all rows

    def complaints(self, limit: int, threads: int) -> list[str]:
        """What does not hold, in sentences.

        The limit of the queue may be passed by what was already being received: as many as the web has threads.
        """
        rows, found = dict(self.rows), list(self.told["failures"])
        humans, findings, files, named = (rows.pop(name) for name in ("humans", "findings", "files", "named"))
        lost = {entry["id"] for entry in self.told["accepted"]} - self.ids
        if lost:
            found.append(f"{len(lost)} analyses that were accepted have no row.")
        if rows.get("queued") or rows.get("running"):
            found.append(f"Not all ended: {rows}.")
        if rows.get("failed"):
            found.append(f"{rows['failed']} failed.")
        if humans != rows.get("succeeded", 0) or findings != 6 * humans:
            found.append(f"{rows.get('succeeded', 0)} successes have {humans} humans and {findings} findings.")
        if files != named:
            found.append(f"{files} files lie in storage, and rows name {named}.")
        cut_off = sum(times for who, times in self.told["refused"].items() if who.endswith("cut off"))
        requests_made = sum(asked["requests"] for asked in self.told["asked"].values())
        if cut_off > CUT_OFF_SHARE * requests_made:
            found.append(f"{cut_off} of {requests_made} requests were cut off.")
        if self.most_waiting > limit + threads:
            found.append(f"{self.most_waiting} waited at once, and the limit is {limit}.")
        return found


def traffic(
    stack: Stack,
    folder: Path,
    *,
    users: int,
    seconds: float,
    pause: float,
    look_seconds: float = 1.0,
    meanwhile: Callable[[], None] | None = None,
) -> Traffic:
    """Run `users` users for `seconds`, then wait until everything has ended; `pause` as in the locust file."""
    photos, out = folder / "load-photos", folder / "load-told.json"
    photos.mkdir(exist_ok=True)
    for seed in range(4):
        (photos / f"{seed}.jpg").write_bytes(scalp_photo(seed))
    most_waiting, over = 0, threading.Event()

    def count_waiting() -> None:
        nonlocal most_waiting
        while not over.wait(1):
            with suppress(requests.RequestException, KeyError, ValueError):
                waiting = requests.get(f"{stack.url}/api/v1/queue/", timeout=10).json()["waiting"]
                most_waiting = max(most_waiting, waiting)

    watch, counting = MemoryWatch(stack, look_seconds), threading.Thread(target=count_waiting, daemon=True)
    watch.start()
    counting.start()
    begun = time.monotonic()
    command = [sys.executable, "-m", "locust", "--headless", "--only-summary", "--loglevel", "WARNING"]
    command += ["-f", "tests/load/locustfile.py", "--host", stack.url, "--users", str(users)]
    command += ["--spawn-rate", str(SPAWNED_A_SECOND), "--run-time", f"{seconds:.0f}s"]
    command += ["--stop-timeout", str(FINISHING_SECONDS), "--exit-code-on-error", "0"]
    told = {"SCALP_LOAD_PHOTOS": str(photos), "SCALP_LOAD_PAUSE": str(pause), "SCALP_LOAD_OUT": str(out)}
    with (folder / "locust.log").open("wb") as log:
        locust = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **told}, stdout=log, stderr=log)
    try:
        if meanwhile:
            meanwhile()
        locust.wait(seconds + 2 * FINISHING_SECONDS)
    finally:
        if locust.poll() is None:
            locust.send_signal(signal.SIGKILL)
        watch.stop()
        over.set()
    took = time.monotonic() - begun
    assert locust.returncode == 0, (
        f"locust ended with {locust.returncode}: {(folder / 'locust.log').read_text()[-2000:]}"
    )
    until(lambda: not rows_of(stack).keys() & {"queued", "running"}, 120, "the end of all that was accepted")
    ids = frozenset(stack.rows("[str(key) for key in Analysis.objects.values_list('id', flat=True)]"))
    return Traffic(took, json.loads(out.read_text()), most_waiting, rows_of(stack), watch.looks, ids)


def rows_of(stack: Stack) -> dict[str, int]:
    """Analyses by status, humans, findings, photos that rows name, and the files that are there."""
    counted = stack.rows(
        "{**dict(Analysis.objects.values_list('status').annotate(n=__import__('django').db.models.Count('id'))), "
        "'humans': Human.objects.count(), 'findings': Finding.objects.count(), "
        "'named': Analysis.objects.exclude(photo='').count()}"
    )
    return {**counted, "files": len(list((stack.folder / "var" / "photos").glob("*")))}
