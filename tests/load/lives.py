"""Whole lives of rows, one after another, in the database of its environment.

    SCALP_…=… python -m tests.load.lives SECONDS

prints how many a second there were. It imports nothing that sets the tests' own environment.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from typing import Any


def write_lives(seconds: float) -> float:
    """One writer: rows from the upload to the purge of their photo, as the services write them, for so long."""
    import django

    django.setup()
    from django.utils import timezone

    from backend.analyses.models import Analysis
    from backend.analyses.services.attempt import analysis_claim, analysis_succeed
    from tests.support.analyses import findings

    graded: list[Any] = findings()
    lives, begun = 0, time.monotonic()
    while time.monotonic() - begun < seconds:
        key, now = uuid.uuid4(), timezone.now()
        Analysis.objects.create(
            id=key, photo=f"{key.hex}.jpg", sex="female", age="30s", consented_at=now, fingerprint="", created_at=now,
            queued_at=now, purge_at=now,
        )  # fmt: skip
        Analysis.objects.filter(pk=key).update(notified_at=now)
        claim = analysis_claim(key, worker="model@limits")
        assert claim is not None
        assert analysis_succeed(claim, graded, bundle="limits@1", demo=True)
        Analysis.objects.filter(pk=key).update(photo="")
        lives += 1
    return lives / (time.monotonic() - begun)


if __name__ == "__main__":
    print(json.dumps(write_lives(float(sys.argv[1]))))
