"""The service under test: what dies is started again, as compose and the launcher do, and all is mended in the end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import redis

from deploy.launcher.broker_server import broker_ready
from tests.chaos.points import CLOCK, FOLDER, leave_note, notes_left
from tests.support.environment import NotHere, PostgreSQL, postgresql, until
from tests.support.stack import Stack

#: What a disk of the service holds: room for all that a run needs (60 KB a photo), and little enough to be filled in a
#: moment.
DISK, LONG_DISK = "256m", "1g"
SWEEP = "from backend.analyses.services.retention import photos_purge; photos_purge()"
CHECK = "__import__('backend.operations.invariants', fromlist=['']).invariants_check(repair=False)"


class SupervisedStack(Stack):
    """A `Stack` whose parts are started again when they die.

    It has a PostgreSQL server of its own, where it uses one, as a part of the name `database`. Photos and database are
    on small disks where such may be mounted.
    """

    def __init__(self, folder: Path, bundle: Path, next_bundle: Path, *, long: bool = False, **settings: str) -> None:
        folder.mkdir(parents=True)
        self.points = folder / "points"
        self.points.mkdir()
        self.long = long
        self.server: PostgreSQL | None = None
        self._small_disks: list[Path] = []
        super().__init__(folder, bundle, **{FOLDER: str(self.points), "SCALP_QUEUE_LIMIT": "100", **settings})
        self.bundle = bundle
        self.next_bundle = next_bundle
        self.lease = float(self.environment["SCALP_LEASE_SECONDS"])
        self.var = folder / "var"
        self._mount_small_disk(self.var)
        (self.var / "photos").mkdir()
        self._down: set[str] = set()
        self._starting = threading.Lock()
        self._over = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keeper")

    def create_database(self) -> str | None:
        if not postgresql:
            return None
        disk = self.folder / "database"
        self._mount_small_disk(disk)
        # What it says of a disk that is full must not be on that disk.
        self.server = PostgreSQL(disk / "data", self.log("database"))
        self.processes["database"] = self.server.process
        return self.server.create_database("stack")

    def _mount_small_disk(self, folder: Path) -> None:
        folder.mkdir()
        size = LONG_DISK if self.long else DISK
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0711", "scalp-chaos", str(folder)]
        if subprocess.run(mount, capture_output=True).returncode == 0:
            self._small_disks.append(folder)

    # Life

    def up(self, patience: float = 240) -> SupervisedStack:
        super().up(patience)
        self._keeper.start()
        return self

    def down(self) -> None:
        self._over.set()
        if self._keeper.is_alive():
            self._keeper.join()
        super().down()
        for disk in self._small_disks:
            subprocess.run(["umount", "--lazy", str(disk)], check=False)

    def mend(self) -> None:
        """Whatever a fault broke is whole again, and what it added is gone."""
        for note in self.points.iterdir():
            note.unlink(missing_ok=True)
        with self._starting:
            for part in [part for part in self.processes if "-" in part]:
                self.stop(part)
            self.besides.clear()
        for part in self.processes:
            self.send(part, signal.SIGCONT)
        self._down.clear()
        until(lambda: broker_ready(self.environment["SCALP_BROKER_URL"]), 20, "the broker")
        until(self.ready, 90, f"readiness (logs in {self.folder})")

    def ready(self) -> bool:
        """Whether it is ready and every part is there."""
        there = all(process.poll() is None for process in list(self.processes.values()))
        return there and bool(self.readiness().get("ready"))

    def _keep(self) -> None:
        """Start again whatever died. Processes end with the thread that started them: this one lives longest."""
        while not self._over.wait(0.1):
            for part, process in list(self.processes.items()):
                if process.poll() is not None and part not in self._down:
                    with self._starting:
                        if self.processes.get(part) is process and part not in self._down:
                            self.start(part)

    # Parts

    def command(self, part: str) -> list[str]:
        """As a `Stack` starts it, with points and a clock."""
        instead = {
            "workers.model": "tests.chaos.parts.model",
            "workers.upkeep": "tests.chaos.parts.upkeep",
            "backend.config.wsgi:application": "tests.chaos.parts.web:application",
        }
        if part == "broker":
            return super().command(part)
        python, option, *module = [instead.get(word, word) for word in super().command(part)]
        return [python, option, "tests.chaos.parts.clock", *module]

    def send(self, part: str, number: signal.Signals) -> None:
        """Send a signal to a part and all its children; nothing where it has gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.processes[part].pid, number)

    def kill(self, part: str, number: signal.Signals = signal.SIGKILL, *, stay_down: bool = False) -> None:
        """As a `Stack` does. The part is started again at once, unless it shall stay down until `start`."""
        process = self.processes[part]
        if stay_down:
            self._down.add(part)
        self.send(part, number)
        if number in {signal.SIGKILL, signal.SIGTERM, signal.SIGINT}:
            process.wait(60)

    def start(self, part: str) -> None:
        if part == "database" and self.server:
            self.starts[part] += 1
            self.processes[part] = self.server.start()
        else:
            self.besides[part] = {CLOCK: str(self._clock(part)), **self.besides.get(part, {})}
            super().start(part)
        self._down.discard(part)

    def restart(self, part: str, number: signal.Signals = signal.SIGTERM) -> None:
        """End a part and start it again."""
        with self._starting:
            process = self.processes[part]
            self.send(part, number)
            process.wait(60)
            self.start(part)

    @contextmanager
    def still(self, part: str) -> Iterator[None]:
        """Let a part stand still for a while."""
        self.send(part, signal.SIGSTOP)
        try:
            yield
        finally:
            self.send(part, signal.SIGCONT)

    # Faults

    def seconds(self, *, short: int, long: int) -> int:
        """How long something lasts, in the short form and in the long one."""
        return long if self.long else short

    def note(self, point: str, deed: str, times: int | None = 1) -> None:
        """Ask that a process that reaches this point does that; see `tests.chaos.points`."""
        leave_note(self.points, point, deed, times)

    def until_taken(self, point: str, seconds: float = 30) -> None:
        until(lambda: notes_left(self.points, point) == 0, seconds, f"a process at the point “{point}”")

    def until_started_again(self, part: str, since: int, times: int = 1) -> None:
        until(lambda: self.starts[part] >= since + times, 60 * times, f"another start of {part}")

    def set_clock(self, part: str, seconds: float) -> None:
        """Set the clock of a part forward by `seconds`, or back, relative to the true time; it need not run."""
        draft = self.points / f".clock.{part}"
        draft.write_text(str(seconds))
        draft.rename(self._clock(part))

    def _clock(self, part: str) -> Path:
        return self.points / f"clock.{part}"

    def broker(self) -> redis.Redis:
        return redis.Redis.from_url(self.environment["SCALP_BROKER_URL"], socket_timeout=5)

    def session(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A session of our own on the PostgreSQL server."""
        return psycopg.connect(self.environment["SCALP_DATABASE_URL"])

    def running(self) -> int:
        return int(self.query("SELECT count(*) FROM analyses_analysis WHERE status = 'running'")[0][0])

    def sweep_orphans(self) -> None:
        """Let the purge find the files without a row, as it does once they are an hour old."""
        for file in (self.var / "photos").iterdir():
            os.utime(file, (0, 0))
        self.shell.run(SWEEP)

    def violations(self) -> list[str]:
        """The invariants that the service's own check finds violated."""
        return self.rows(f"[checked.invariant.name for checked in {CHECK} if checked.violations]")

    @contextmanager
    def full_disk(self, disk: Path) -> Iterator[None]:
        """Fill a disk to the last byte for a while. Raises NotHere where it could not be mounted."""
        if disk not in self._small_disks:
            raise NotHere("No small disk may be mounted here, so none can be filled.")
        ballast = disk / "ballast"
        try:
            with ballast.open("wb", buffering=0) as file:
                for size in (1 << 20, 1 << 12):
                    with contextlib.suppress(OSError):
                        while file.write(bytes(size)) == size:
                            pass
            yield
        finally:
            ballast.unlink()
