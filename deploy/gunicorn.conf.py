# ruff: noqa: N999 - gunicorn looks for this name
"""gunicorn for the web role: two processes of sixteen threads. WSGI on purpose: most upload attacks target ASGI.

`make run` and the containers both use it; `SCALP_HOST`, `SCALP_PORT`, `SCALP_WEB_WORKERS`, `SCALP_WEB_THREADS` and
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

# Threads wait for the database and for long polls; with two processes, a crash does not take the service down.
worker_class = "backend.config.server.PatientWorker"
workers = int(os.environ.get("SCALP_WEB_WORKERS") or 2)
threads = int(os.environ.get("SCALP_WEB_THREADS") or 16)

# A poll may be held for 25 s (`Prefer: wait`), so a worker gets a little longer than that to shut down.
timeout = 60
graceful_timeout = 30
keepalive = 5

#: `M_MMAP_THRESHOLD` of glibc's <malloc.h>.
_MMAP_THRESHOLD = -3

# Keep the heartbeat file of a worker in memory: on a slow disk the worker would look hung.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108

# An access log would contain the addresses of analyses and of clients; the proxy logs requests without either.
accesslog = None
errorlog = "-"
logger_class = "backend.config.server.JSONLines"

limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190


def on_starting(server):
    """Shares metrics between the processes: each counts in files that the others read, so any can report for all.

    The files are in memory: writing to a mapped file on a full disk would kill the process (mmap(2), SIGBUS).
    """
    _remove_left_folders()
    folder = tempfile.mkdtemp(prefix=f"scalp-metrics-{os.getpid()}-", dir=worker_tmp_dir)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder


def _remove_left_folders():
    """Removes the folders of our servers that were killed: in memory they would add up until the machine restarts."""
    for folder in Path(worker_tmp_dir or tempfile.gettempdir()).glob("scalp-metrics-*-*"):
        with contextlib.suppress(OSError, ValueError):
            if folder.stat(follow_symlinks=False).st_uid == os.getuid() and not _is_alive(
                int(folder.name.split("-")[2])
            ):
                shutil.rmtree(folder, ignore_errors=True)


def _is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def on_exit(server):
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def pre_fork(server, worker):
    """Gives the process the lowest free number. It continues the counts of the process that had the number before, so
    restarts do not add files."""
    taken = {other.number for other in server.WORKERS.values()}
    worker.number = next(number for number in range(len(taken) + 1) if number not in taken)


def post_fork(server, worker):
    """Counts in the process's own files, and makes glibc return the memory of a decoded photo when it is freed.

    By default, glibc raises the size from which it returns freed blocks up to 32 MB (mallopt(3)), and Pillow allocates
    blocks of 16 MB: after a photo of 49 megapixels, a process kept 500 MB.
    """
    from prometheus_client import values  # Not at the top: it looks for the folder when it is imported.

    values.ValueClass = values.MultiProcessValue(process_identifier=lambda: worker.number)
    with contextlib.suppress(AttributeError):  # Another libc.
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, 2**20)


def worker_exit(server, worker):
    """Sends the last spans, if tracing is on."""
    from backend.operations.tracing import stop_tracing

    stop_tracing()


# The control socket would be in the home folder, shared by all checkouts.
control_socket_disable = True
proc_name = "scalpspectra-web"
