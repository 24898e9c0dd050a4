# ruff: noqa: N999 - gunicorn looks for this name
"""gunicorn for the web role: two processes of sixteen threads. WSGI on purpose; most upload attacks aim at
ASGI.

Here and in the containers alike; `SCALP_HOST`, `SCALP_PORT`, `SCALP_WEB_WORKERS`, `SCALP_WEB_THREADS` and
`SCALP_WEB_PATIENCE` change it.
"""

import contextlib
import ctypes
import os
import shutil
import tempfile
from pathlib import Path

_host = os.environ.get("SCALP_HOST") or "127.0.0.1"
bind = f"{f'[{_host}]' if ':' in _host else _host}:{os.environ.get('SCALP_PORT') or 8000}"

# Threads wait for the database and for held polls; processes are there so that one crash is not all.
worker_class = "backend.config.server.PatientWorker"
workers = int(os.environ.get("SCALP_WEB_WORKERS") or 2)
threads = int(os.environ.get("SCALP_WEB_THREADS") or 16)

# A poll may be held for 25 s (`Prefer: wait`), so a worker that is told to end gets a little more.
timeout = 60
graceful_timeout = 30
keepalive = 5

#: `M_MMAP_THRESHOLD` of glibc's <malloc.h>.
_MMAP_THRESHOLD = -3

# The heartbeat file of a worker belongs in memory: a slow disk would look like a hung worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108

# A line a request would hold addresses of analyses and of people; the proxy logs requests without either.
accesslog = None
errorlog = "-"
logger_class = "backend.config.server.JSONLines"

limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190


def on_starting(server):
    """All processes of this server answer for the metrics of each other: each counts in files that the others read.

    The files are in memory: under one that is mapped, a disk that is full ends the process (mmap(2), SIGBUS).
    """
    folder = tempfile.mkdtemp(prefix=f"scalp-metrics-{os.getpid()}-", dir=worker_tmp_dir)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder


def on_exit(server):
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def pre_fork(server, worker):
    """Give the process the lowest free number: it goes on with the counts of the one that had it before, so there are
    never more files than processes, however often one dies."""
    taken = {other.number for other in server.WORKERS.values()}
    worker.number = next(number for number in range(len(taken) + 1) if number not in taken)


def post_fork(server, worker):
    """Count in files of its own, and let glibc hand back what a decoded photo took, as soon as it is gone.

    It raises the size from which it does so with each block that is freed, up to 32 MB (mallopt(3)), and Pillow takes
    pictures in blocks of 16 MB: of a photo of 49 megapixels a process kept 500 MB for good.
    """
    from prometheus_client import values  # Not before: it looks for the folder when it is imported.

    values.ValueClass = values.MultiProcessValue(process_identifier=lambda: worker.number)
    with contextlib.suppress(AttributeError):  # Another libc.
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, 2**20)


def worker_exit(server, worker):
    """Hand over the last spans, where traces are wanted."""
    from backend.operations.traces import stop_tracing

    stop_tracing()


# Its control socket would lie in the home folder, one for all checkouts.
control_socket_disable = True
proc_name = "scalpspectra-web"
