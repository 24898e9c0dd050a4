"""Changes published from process to process, and a silent exit."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
import redis

from tests.support.environment import ROOT

#: Receives a change, then exits. What is registered first is called last, after everything else has cleaned up.
LISTENER = """
import atexit, threading
atexit.register(lambda: print("still there:", [one.name for one in threading.enumerate() if one.name == "pubsub"]))

import django
django.setup()
from backend.operations.pubsub import is_listening, watch_changes

with watch_changes("subject") as changed:
    print("listening", flush=True)
    assert changed.wait(20)
"""


@pytest.mark.usefixtures("broker")
def test_a_process_that_received_a_change_exits_at_once_and_silently(broker: redis.Redis) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", LISTENER], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        # Servers of other tests may be subscribed as well, so a delivered message need not have reached this one.
        for _try in range(600):
            broker.publish("scalp:changes", "subject")
            if process.poll() is not None:
                break
            time.sleep(0.05)
    finally:
        process.kill()
        output, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")
    assert output.splitlines()[-1] == "still there: []"
