"""How a worker leaves when nothing but a new process can help."""

from __future__ import annotations

import os

import structlog

log = structlog.get_logger(__name__)

#: sysexits: EX_SOFTWARE. The supervisor starts a new process after any status.
EXIT_STATUS = 70


def leave() -> None:
    """Leave at once, whatever other threads do. A CUDA context is lost for good after a sticky error
    (pytorch #2300), and a thread that hangs can't be ended; the rows are claimed again."""
    log.error("worker_exiting", status=EXIT_STATUS)
    os._exit(EXIT_STATUS)
