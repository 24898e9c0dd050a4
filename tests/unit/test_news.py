"""Words from process to process, and an end without a word."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
import redis

from tests.support.environment import ROOT

#: Hears a word, then ends. What is registered first is called last: it looks after everybody else has cleaned up.
LISTENER = """
import atexit, threading
atexit.register(lambda: print("still there:", [one.name for one in threading.enumerate() if one.name == "news"]))

import django
django.setup()
from backend.operations.news import news_come, news_of

with news_of("subject") as told:
    print("listening", flush=True)
    assert told.wait(20)
"""


@pytest.mark.usefixtures("broker")
def test_a_process_that_heard_news_ends_at_once_and_in_silence(broker: redis.Redis) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", LISTENER], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        # Servers of other tests may listen as well, so a word that somebody heard is no sign that this one did.
        for _try in range(600):
            broker.publish("scalp:news", "subject")
            if process.poll() is not None:
                break
            time.sleep(0.05)
    finally:
        process.kill()
        output, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")
    assert output.splitlines()[-1] == "still there: []"
