"""The parts of the service that its cost is measured on: a web server on a core of its own, all of it when idle."""

from __future__ import annotations

import itertools
import json
import os
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from backend.analyses.photos import photo_clean
from tests.bench.service_load import Load, children, get, load
from tests.support.environment import ROOT, until
from tests.support.stack import ENDED, Stack, scalp_photo

WORKER_THERE = (
    "from datetime import timedelta; from django.utils import timezone; "
    "from backend.operations.models import Worker; t = timezone.now() + timedelta(days=1); "
    "Worker.objects.create(name='model@bench', role='model', started_at=t, seen_at=t, models_resident=7, "
    "photo_seconds=1.0)"
)
SETTINGS = {"SCALP_QUEUE_LIMIT": "1000000", "SCALP_SUBMITS_PER_MINUTE": "1000000"}


def web_cost(folder: Path, seconds: float) -> dict[str, Any]:
    """Submits and polls a second of one web process's CPU time, with eight photos waiting for a worker."""
    with web_alone(folder, cores=1, SCALP_WEB_WORKERS="1") as web:
        photos = [web.submit().json()["id"] for _ in range(8)]
        paths = [f"/api/v1/analyses/{key}/" for key in photos]
        etags = [requests.get(web.url + path, headers=_korean(), timeout=30).headers["ETag"] for path in paths]
        server = children(web.processes["web"].pid)

        def asked(polls: Iterator[bytes], status: int) -> Load:
            load(web.port, polls, server=server, seconds=0.3)  # Connections, caches, threads.
            found = load(web.port, polls, server=server, seconds=seconds)
            assert set(found.statuses) == {status}, found.statuses
            return found

        known = [get(path, If_None_Match=etag) for path, etag in zip(paths, etags, strict=True)]
        same = asked(itertools.cycle(known), 304)
        full = asked(itertools.cycle(map(get, paths)), 200)
        sent = asked(itertools.cycle(submissions()), 202)
    return {
        "polls_304_per_core": same.per_core,
        "polls_200_per_core": full.per_core,
        "submits_per_core": sent.per_core,
        "photo_clean_seconds": clean_seconds(scalp_photo(1)),
        "generator_busy": max(same.generator_busy, full.generator_busy, sent.generator_busy),
    }


def rows_cost(environments: dict[int, dict[str, str]], rounds: int) -> dict[str, dict[int, float]]:
    """Median seconds to claim, poll, tell the position and the queue, by rows waiting, the sizes taking turns."""
    processes = {
        rows: subprocess.Popen(
            [sys.executable, "-m", "tests.bench.service_rows", str(rows)],
            # A line in the log for each claim would be measured with it, and hide the table.
            cwd=ROOT, env={**environment, "SCALP_LOG_LEVEL": "WARNING"}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for rows, environment in environments.items()
    }  # fmt: skip
    told: dict[int, list[dict[str, float]]] = {rows: [] for rows in processes}
    try:
        for process in processes.values():
            assert process.stdout is not None
            assert process.stdout.readline() == "filled\n"
        for _ in range(rounds):
            for rows, process in processes.items():
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write("\n")
                process.stdin.flush()
                told[rows].append(json.loads(process.stdout.readline()))
    finally:
        for process in processes.values():
            process.kill()
            process.communicate()
    steps = next(iter(told.values()))[0]
    return {step: {rows: statistics.median(r[step] for r in found) for rows, found in told.items()} for step in steps}


def idle_cost(folder: Path, bundle: Path, photos: int) -> dict[str, Any]:
    """Seconds from sending a photo to hearing of its success with `Prefer: wait`, less cleaning and inference.

    One photo after another, so none waits for another one. Inference is what the batcher says that its batch took.
    """
    stack = Stack(folder, bundle, SCALP_LEASE_SECONDS="60", SCALP_WEB_WORKERS="1", **SETTINGS)
    photo = scalp_photo(1)
    told = []
    try:
        with requests.Session() as session:
            stack.up()
            for _ in range(photos + 3):
                begun = time.perf_counter()
                files = {"photo": ("photo.jpg", photo + secrets.token_bytes(8), "image/jpeg")}
                answers = {"sex": "female", "age": "30s", "consent": "true"}
                answer = session.post(f"{stack.url}/api/v1/analyses/", files=files, data=answers, timeout=30)
                accepted = time.perf_counter()
                address = stack.url + answer.headers["Location"]
                status = answer.json()
                while status["status"] not in ENDED:
                    status = session.get(address, headers={"Prefer": "wait=25"}, timeout=60).json()
                ended = time.perf_counter()
                assert status["status"] == "succeeded", status
                until(lambda: len(batch_seconds(stack)) > len(told), 5, "the batch's line in the log")
                told.append((accepted - begun, ended - begun, batch_seconds(stack)[-1]))
    finally:
        stack.down()
    told = told[3:]  # The first ones open connections.
    clean = clean_seconds(photo)
    overhead = sorted(ended - inference - clean for _accepted, ended, inference in told)
    return {
        "queue_overhead_p50": statistics.median(overhead),
        "queue_overhead_p95": overhead[int(0.95 * len(overhead))],
        "submit_p50": statistics.median(accepted for accepted, _ended, _inference in told),
        "inference_p50": statistics.median(inference for _accepted, _ended, inference in told),
    }


def clean_seconds(photo: bytes) -> float:
    """Seconds that cleaning this photo takes, the median of some."""
    seconds = []
    for _ in range(15):
        begun = time.perf_counter()
        photo_clean(photo)
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


@contextmanager
def web_alone(folder: Path, *, cores: int | None = None, **settings: str) -> Iterator[Stack]:
    """A web server and its broker, and only the heartbeat of a worker; on `cores`, with us on the others.

    `cores` of None: everything on all of them.
    """
    web = Stack(folder, folder, **SETTINGS, **settings)
    web.migrate()
    web.collect_static_files()
    web.shell.run(WORKER_THERE)
    there = sorted(os.sched_getaffinity(0))
    try:
        web.start("broker")
        os.sched_setaffinity(0, there[:cores])  # What is started now inherits it.
        web.start("web")
        os.sched_setaffinity(0, (there[cores:] if cores else there) or there)
        until(lambda: _answers(web), 60, f"the web server (logs in {folder})")
        yield web
    finally:
        os.sched_setaffinity(0, there)
        web.down()


def submissions() -> list[bytes]:
    """A photo with its answers as a phone would send them."""
    photo = scalp_photo(1)
    fields = {"sex": "female", "age": "30s", "consent": "true"}
    request = requests.Request(
        "POST", "http://localhost/api/v1/analyses/", data=fields, files={"photo": ("photo.jpg", photo, "image/jpeg")}
    ).prepare()
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    assert isinstance(request.body, bytes)
    return [f"POST {request.path_url} HTTP/1.1\r\nHost: localhost\r\n{head}\r\n".encode() + request.body]


def _answers(web: Stack) -> bool:
    try:
        return requests.get(f"{web.url}/healthz", timeout=5).ok
    except requests.RequestException:
        return False


def batch_seconds(stack: Stack) -> list[float]:
    """Seconds of each batch that the worker's log tells of."""
    lines = stack.log("model").read_text().splitlines()
    return [json.loads(line)["seconds"] for line in lines if '"batch_done"' in line]


def _korean() -> dict[str, str]:
    return {"Accept-Language": "ko"}
