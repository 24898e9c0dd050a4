"""The whole service as real processes: web, model worker, upkeep worker and schedule, over the tests' broker."""

from __future__ import annotations

import io
import json
import os
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import requests

from deploy.launcher.broker_server import broker_command, broker_ready, broker_url
from deploy.launcher.settings import free_port
from ml.data.synthetic import scalp_picture
from tests.support.environment import ROOT, SCRATCH, postgresql, spawn, until
from tests.support.shell import COMMAND, Shell

#: The tables without any row: to copy them takes milliseconds, to make them three seconds.
EMPTY_TABLES = SCRATCH / "empty.sqlite3"
#: Collected once for all stacks of a run: to name and compress them takes longer than all else of a start.
STATIC_FILES = SCRATCH / "static"
ENDED = {"succeeded", "rejected", "failed", "canceled", "expired"}


def scalp_photo(seed: int) -> bytes:
    """A synthetic scalp as a JPEG."""
    file = io.BytesIO()
    scalp_picture(seed).save(file, "JPEG")
    return file.getvalue()


class Stack:
    """Starts every part on free ports, in a folder of its own; parts can be killed and started again.

    Where there are several of a kind, their names have a dash: `model-2`.
    """

    #: The model workers that it starts with.
    models: Sequence[str] = ("model",)

    def __init__(self, folder: Path, bundle: Path, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.broker_port = free_port()
        self.flower_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.starts: Counter[str] = Counter()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.besides: dict[str, dict[str, str]] = {}  #: what the environment of a part has besides
        self._shell: Shell | None = None
        self.environment = {
            **os.environ,
            "SCALP_VAR": str(folder / "var"),
            "SCALP_STATIC_ROOT": str(STATIC_FILES),
            "SCALP_BROKER_URL": broker_url(self.broker_port),
            "SCALP_BUNDLE": str(bundle),
            "SCALP_HOST": "127.0.0.1",
            "SCALP_PORT": str(self.port),
            "SCALP_LOG_LEVEL": "INFO",
            "SCALP_MAX_BATCH": "8",  # A CPU chooses 1, and photos that share a batch are tested here.
            "SCALP_TEST_DATABASE": "",
            **settings,
        }
        if url := self.create_database():
            self.environment["SCALP_DATABASE_URL"] = url
        else:
            self.environment.pop("SCALP_DATABASE_URL", None)

    def create_database(self) -> str | None:
        """The URL of a database of its own on the tests' server; None for SQLite, which makes its file itself."""
        return postgresql.create_database(f"stack_{secrets.token_hex(4)}") if postgresql else None

    def up(self, patience: float = 240) -> Stack:
        """Start every part and wait until the service is ready, at most `patience` seconds."""
        self.migrate()
        self.collect_static_files()
        self.start("broker")
        until(lambda: broker_ready(self.environment["SCALP_BROKER_URL"]), 10, "the broker")
        for part in ("web", *self.models, "upkeep", "schedule"):
            self.start(part)
        until(self.ready, patience, f"readiness (logs in {self.folder})")
        return self

    def up_web(self, *, broker: bool = False) -> Stack:
        """Start the web server, with a broker or alone, and wait until it answers."""
        self.migrate()
        self.collect_static_files()
        if broker:
            self.start("broker")
            until(lambda: broker_ready(self.environment["SCALP_BROKER_URL"]), 10, "the broker")
        self.start("web")
        until(self.alive, 60, f"the web server (logs in {self.folder})")
        return self

    def migrate(self) -> None:
        """Make the tables, or bring those that are there up to date."""
        if self.on_postgresql or self.sqlite.exists():
            self.manage("migrate", "--noinput")
            return
        if not EMPTY_TABLES.exists():
            self.manage("migrate", "--noinput")
            shutil.copy(self.sqlite, EMPTY_TABLES)
            return
        self.sqlite.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(EMPTY_TABLES, self.sqlite)

    def collect_static_files(self) -> None:
        if not (STATIC_FILES / "staticfiles.json").exists():
            self.manage("collectstatic", "--noinput")

    def down(self) -> None:
        for part in reversed(list(self.processes)):
            self.stop(part)
        if self._shell:
            self._shell.stop()
            self._shell = None

    def command(self, part: str) -> list[str]:
        python = [sys.executable, "-m"]
        model, upkeep = [*python, "celery", "-A", "workers.model"], [*python, "celery", "-A", "workers.upkeep"]
        worker = ["worker", "--pool", "threads", "-E", "--without-gossip", "--without-mingle"]
        threads = self.environment.get("SCALP_CONCURRENCY", "16")
        return {
            "broker": broker_command(self.folder / "broker", self.broker_port),
            "web": [*python, "gunicorn", "backend.config.wsgi:application", "--config", "deploy/gunicorn.conf.py"],
            "model": [*model, *worker, "--concurrency", threads, "--queues", "photos", "--hostname", self.node(part)],
            "upkeep": [*upkeep, *worker, "--concurrency", "2", "--queues", "upkeep", "--hostname", self.node(part)],
            "schedule": [*upkeep, "beat", "--pidfile=", "--schedule", str(self.folder / part)],
            "flower": [*upkeep, "flower", "--address=127.0.0.1", f"--port={self.flower_port}", "--max-tasks=10000"],
        }[part.partition("-")[0]]

    def node(self, part: str) -> str:
        """The node name of a worker."""
        return f"{part}@tests"

    def start(self, part: str) -> None:
        self.starts[part] += 1
        environment = {**self.environment, **self.besides.get(part, {})}
        self.processes[part] = spawn(self.command(part), self.log(part), env=environment)

    def kill(self, part: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the part and all its children, and wait for its end if the signal means one."""
        process = self.processes[part]
        os.killpg(process.pid, number)
        if number in {signal.SIGKILL, signal.SIGTERM}:
            process.wait(60)

    def freeze_model(self) -> None:
        """Stop the model worker at a moment at which it does not hold SQLite's write lock, which would stop all."""
        while True:
            self.kill("model", signal.SIGSTOP)
            time.sleep(0.1)  # Its threads stop one by one.
            if self.can_write():
                return
            self.kill("model", signal.SIGCONT)
            time.sleep(0.05)

    def stop(self, part: str) -> None:
        process = self.processes.pop(part)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGCONT)
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def mend(self) -> None:
        """Start what has died, let go on what was stopped, and wait until all is well again."""
        for part, process in list(self.processes.items()):
            if process.poll() is None:
                self.kill(part, signal.SIGCONT)
            else:
                self.start(part)
        until(self.ready, 60, f"readiness (logs in {self.folder})")

    def log(self, part: str) -> Path:
        return self.folder / f"{part}.log"

    def lines(self, part: str, **having: object) -> list[dict[str, Any]]:
        """The lines of a part's log that have these values."""
        told = [json.loads(line) for line in self.log(part).read_text().splitlines() if line.startswith("{")]
        return [line for line in told if having.items() <= line.items()]

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "backend/manage.py", *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, expression: str) -> Any:
        """The value of a Python expression over the models, read by a process of its own."""
        return self.shell.value(expression)

    @property
    def shell(self) -> Shell:
        """A Python with the models, and with the settings that the service has when it is first asked."""
        if self._shell is None:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            self._shell = Shell(spawn(COMMAND, self.log("shell"), env=self.environment, **pipes))
        return self._shell

    @property
    def on_postgresql(self) -> bool:
        return "SCALP_DATABASE_URL" in self.environment

    @property
    def sqlite(self) -> Path:
        """The file of the database, where it is SQLite's."""
        return self.folder / "var" / "db.sqlite3"

    def query(self, sql: str) -> Sequence[tuple[Any, ...]]:
        """The rows of a SELECT, past all code of the product."""
        if self.on_postgresql:
            with psycopg.connect(self.environment["SCALP_DATABASE_URL"], autocommit=True) as server:
                return server.execute(sql).fetchall()
        with closing(sqlite3.connect(self.sqlite, timeout=30)) as file:
            return file.execute(sql).fetchall()

    def can_write(self) -> bool:
        """Whether no process holds the write lock of the database; PostgreSQL has none."""
        if self.on_postgresql:
            return True
        with closing(sqlite3.connect(self.sqlite, timeout=0.2)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            return True

    def alive(self) -> bool:
        try:
            return requests.get(f"{self.url}/healthz", timeout=5).ok
        except requests.RequestException:
            return False

    def ready(self) -> bool:
        dead = [part for part, process in self.processes.items() if process.poll() is not None]
        assert not dead, f"{dead} died; logs in {self.folder}"
        return bool(self.readiness().get("ready"))

    def readiness(self) -> dict[str, Any]:
        """What `/readyz` says; nothing if there is no answer."""
        try:
            return dict(requests.get(f"{self.url}/readyz", timeout=5).json())
        except requests.RequestException:
            return {}

    def all_models_ready(self) -> bool:
        """Whether it is ready and every model worker that it started with is."""
        return self.ready() and self.readiness().get("workers") == len(self.models)

    def submit(self, photo: bytes | None = None, *, headers: dict[str, str] | None = None, **answers: str) -> Any:
        """Send a photo; the answer of the API as a `requests.Response`."""
        return requests.post(
            f"{self.url}/api/v1/analyses/",
            files={"photo": ("photo.jpg", photo or scalp_photo(secrets.randbits(16)), "image/jpeg")},
            data={"sex": "female", "age": "30s", "consent": "true", **answers},
            headers=headers,
            timeout=30,
        )

    def status(self, analysis_id: str) -> dict[str, Any]:
        answer = requests.get(f"{self.url}/api/v1/analyses/{analysis_id}/", timeout=30)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def wait(self, analysis_id: str, seconds: float = 60) -> dict[str, Any]:
        """Poll until the analysis has ended."""
        end = time.monotonic() + seconds
        while (status := self.status(analysis_id))["status"] not in ENDED:
            if time.monotonic() > end:
                raise TimeoutError(f"{status} after {seconds:g} s; logs in {self.folder}")
            time.sleep(0.1)
        return status
