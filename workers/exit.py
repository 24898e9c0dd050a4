"""Exit of a worker that only a new process can replace."""

from __future__ import annotations

import os

import structlog

log = structlog.get_logger(__name__)

#: EX_SOFTWARE of sysexits. The supervisor restarts after any status.
EXIT_STATUS = 70


def exit_worker() -> None:
    """Exit at once, whatever other threads do. A CUDA context is unusable after a sticky error (pytorch #2300), and a
    thread that hangs cannot be stopped. The leases of this worker expire, and its analyses are requeued."""
    log.error("worker_exiting", status=EXIT_STATUS)
    os._exit(EXIT_STATUS)
