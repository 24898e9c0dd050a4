"""A part whose clock can be set: `python -m tests.chaos.parts.clock celery …` is `python -m celery …` but for that.

All that the product, Django and Celery do by the time of day asks one of three functions. SQLite's own clock, which
is that of the database, stays right, and so does the monotonic one, as a clock that is set leaves it alone.
"""

from __future__ import annotations

import os
import runpy
import sys
import time
from datetime import datetime, timedelta
from typing import Any

from tests.chaos.points import CLOCK

true_time = time.time


def ahead() -> float:
    try:
        with open(os.environ[CLOCK]) as file:
            return float(file.read())
    except FileNotFoundError:
        return 0.0


def shifted_time() -> float:
    return true_time() + ahead()


# Before anything else is imported: many take the function by its name.
time.time = shifted_time

import celery.app.base  # noqa: E402
import django.utils.timezone  # noqa: E402

true_now, true_celery_now = django.utils.timezone.now, celery.app.base.Celery.now


def shifted_now() -> datetime:
    return true_now() + timedelta(seconds=ahead())


def shifted_celery_now(self: Any) -> datetime:
    now: datetime = true_celery_now(self)
    return now + timedelta(seconds=ahead())


django.utils.timezone.now = shifted_now
celery.app.base.Celery.now = shifted_celery_now

if __name__ == "__main__":
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
