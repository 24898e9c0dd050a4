"""Named points on an analysis's way through a process, and notes that say what happens to a process that gets there.

The product has no hook for it: the modules in `tests.chaos.parts` wrap its functions in the processes under test, and
the tests leave a note in a folder that those look into. A note is taken by one thread of one process, once.
"""

from __future__ import annotations

import errno
import os
import secrets
import signal
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

FOLDER = "SCALP_CHAOS_POINTS"
CLOCK = "SCALP_CHAOS_CLOCK"  #: a file with the seconds by which a process's clock is ahead; none: it is right
#: A photo of this size in pixels ends the process that prepares it, as one that hits a bug in a decoder would.
POISON = (330, 220)


def _lost_device() -> None:
    raise RuntimeError("CUDA error: an illegal memory access was encountered")


def _no_memory() -> None:
    import torch  # Only a process that has it already gets here.

    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def _no_answer() -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


DEEDS: dict[str, Callable[[], None]] = {
    "die": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "lose the device": _lost_device,
    "have no memory": _no_memory,
    "fail to read": _no_answer,
}


def leave_note(folder: Path, point: str, deed: str, times: int | None = 1) -> None:
    """Ask that the next `times` processes that reach `point`, or all, do `deed`: one of `DEEDS`, or `sleep 1.5`."""
    for _ in range(times or 1):
        note = folder / f"{point}.{'always' if times is None else secrets.token_hex(4)}"
        draft = folder / f".{note.name}"
        draft.write_text(deed)
        draft.rename(note)


def notes_left(folder: Path, point: str) -> int:
    """How many notes for this point have not been taken yet."""
    return len(list(folder.glob(f"{point}.*")))


def reached(point: str) -> None:
    """Do what a note for this point says, if there is one."""
    for note in Path(os.environ[FOLDER]).glob(f"{point}.*"):
        try:
            deed = note.read_text()
            if note.suffix != ".always":
                note.unlink()
        except FileNotFoundError:
            continue  # Another thread was quicker.
        if deed.startswith("sleep "):
            time.sleep(float(deed.removeprefix("sleep ")))
        else:
            DEEDS[deed]()
        return


def at(owner: Any, name: str, *, before: str = "", after: str = "") -> None:
    """Make points of the moments before and after the function of this name runs."""
    function = getattr(owner, name)

    @wraps(function)
    def with_points(*arguments: Any, **options: Any) -> Any:
        if before:
            reached(before)
        result = function(*arguments, **options)
        if after:
            reached(after)
        return result

    setattr(owner, name, with_points)
