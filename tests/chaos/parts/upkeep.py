"""The upkeep worker and its schedule with a point: `celery -A tests.chaos.parts.upkeep …`."""

from __future__ import annotations

import sys

import workers.upkeep
from tests.chaos.points import at
from workers.upkeep import analyses_reap

app = workers.upkeep.app

# The workers set Django up, and whatever has to do with rows can't be imported before them.
at(sys.modules[analyses_reap.__module__], "analysis_requeue", before="take back")
