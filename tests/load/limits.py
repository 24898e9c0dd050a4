"""What database and broker take at most, for the plan of `python -m deploy.capacity`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import ExitStack

import redis

from tests.support.environment import ROOT
from tests.support.stack import Stack, scalp_photo

WRITERS = 4  #: processes; each waits for its commits, so that several keep a database busy
PIPELINED = 50  #: commands that a client of the broker sends at a time, so that its own work counts for little


def lives_per_second(stack: Stack, seconds: float) -> float:
    """Whole lives of rows that the database of this stack takes a second, from several processes at once.

    The writers compute on the same machine, so it is the least that the database takes.
    """
    stack.migrate()
    command = [sys.executable, "-m", "tests.load.lives", str(seconds)]
    with ExitStack() as running:
        writers = [
            running.enter_context(
                subprocess.Popen(command, cwd=ROOT, env=stack.environment, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(WRITERS)
        ]
        told = [json.loads(writer.communicate()[0].splitlines()[-1]) for writer in writers]
    return float(sum(told))


def broker_commands_per_second(url: str, seconds: float) -> float:
    """Pushes and pops a second on one list, as much as the broker takes of one client that sends many at a time."""
    with redis.Redis.from_url(url) as client:
        before, begun = client.info("stats")["total_commands_processed"], time.monotonic()
        while time.monotonic() - begun < seconds:
            with client.pipeline(transaction=False) as pipeline:
                for _ in range(PIPELINED):
                    pipeline.lpush("limits", "x" * 400)
                    pipeline.rpop("limits")
                pipeline.execute()
        took = time.monotonic() - begun
        return float((client.info("stats")["total_commands_processed"] - before) / took)


def commands_per_photo(stack: Stack, photos: int) -> float:
    """Commands that the broker processes for one photo, less those that it processes anyway in the same time."""
    with redis.Redis.from_url(stack.environment["SCALP_BROKER_URL"]) as client:

        def processed() -> int:
            return int(client.info("stats")["total_commands_processed"])

        before, begun = processed(), time.monotonic()
        time.sleep(5)
        idle = (processed() - before) / (time.monotonic() - begun)
        before, begun = processed(), time.monotonic()
        for analysis in [stack.submit().json()["id"] for _ in range(photos)]:
            stack.wait(analysis)
        return (processed() - before - idle * (time.monotonic() - begun)) / photos


def photo_bytes() -> float:
    """Mean bytes of a cleaned photo, of some synthetic ones in the size that phones are asked to send."""
    from backend.analyses.photos import photo_clean

    return sum(len(photo_clean(scalp_photo(seed)).jpeg) for seed in range(8)) / 8
