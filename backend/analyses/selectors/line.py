"""The line of waiting photos as it was a moment ago: what is told of a line that is too long to count at each poll."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from datetime import datetime

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from backend.analyses.models import Analysis
from backend.analyses.states import Status

#: So many before a photo are counted at each poll (0.2 µs each); a place further back is read off the milestones.
NEAR = 50
MILESTONES = 2000
#: The milestones are set anew after so long, and after no less than 50 times what that took: 2 % of a core at most.
STALE_SECONDS, STALE_TIMES = 1.0, 50


class Line:
    """How many wait, and the places of up to 2,000 of them as milestones.

    A line of up to 2,000 has each photo as a milestone. In a longer one a place between two milestones is read off
    the time at which it was queued, so it is wrong by less than one two-thousandth of the line.
    """

    def __init__(self) -> None:
        begun = time.monotonic()
        queued = Analysis.objects.filter(status=Status.QUEUED)
        self.waiting = queued.count()
        self._step = 1 + self.waiting // MILESTONES
        placed = queued.annotate(place=Window(RowNumber(), order_by=["queued_at", "id"]))
        milestones = placed.annotate(past=F("place") % self._step).filter(past=0).order_by("place")
        self._times = list(milestones.values_list("queued_at", flat=True))
        now = time.monotonic()
        self._fresh_until = now + max(STALE_SECONDS, STALE_TIMES * (now - begun))

    @property
    def fresh(self) -> bool:
        return time.monotonic() < self._fresh_until

    def place(self, queued_at: datetime) -> int:
        """The place, counted from 1, of what was queued at this time; behind the last one for what came since."""
        passed = bisect_right(self._times, queued_at)
        if passed == len(self._times):
            return self.waiting + (not passed or queued_at > self._times[-1])
        if not passed:
            return self._step
        since, until = self._times[passed - 1], self._times[passed]
        return int((passed + (queued_at - since) / (until - since)) * self._step)


_line: Line | None = None
_looking = threading.Lock()


def line() -> Line:
    """The line as it was some seconds ago at most. One thread looks anew, the others go by the last look meanwhile."""
    global _line
    known = _line
    if known is not None and (known.fresh or not _looking.acquire(blocking=False)):
        return known
    if known is None:
        _looking.acquire()
    try:
        if _line is known:
            _line = Line()
        assert _line is not None
        return _line
    finally:
        _looking.release()


def line_forget() -> None:
    """Look anew at the next question."""
    global _line
    _line = None
