"""`make run` as a person starts it: the real parts, a small bundle, a folder and ports of its own."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import requests

from deploy.launcher.broker_server import broker_password, broker_ready, broker_url
from deploy.launcher.settings import LOOPBACK, free_port, listen
from tests.support.environment import ROOT, until
from tests.support.stack import Stack

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes by their environment in /proc"),
]


class MakeRun:
    """One `make run` in a session of its own, as a terminal gives it one."""

    def __init__(self, folder: Path, bundle: Path) -> None:
        self.service = Stack(folder, bundle)
        self.var = folder / "var"
        self.said = folder / "said"
        self.flower_port = free_port()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SCALP_")},
            "SCALP_VAR": str(self.var),
            "SCALP_BUNDLE": str(bundle),
            "SCALP_PORT": str(self.service.port),
            "SCALP_FLOWER_PORT": str(self.flower_port),
        }

    def start(self) -> None:
        with self.said.open("w") as said:
            self.make = subprocess.Popen(
                ["make", "run"], cwd=ROOT, env=self.environment, stdout=said, stderr=said, start_new_session=True
            )

    def until_said(self, words: str, seconds: float) -> None:
        until(lambda: words in self.said.read_text() or self.make.poll() is not None, seconds, f"{words!r}")
        assert words in self.said.read_text(), self.said.read_text()

    def broker(self) -> str:
        run = self.var / "run"
        return broker_url(int((run / "broker-port").read_text()), broker_password(run / "broker.conf"))

    def launcher(self) -> int:
        return int((self.var / "run" / "launcher.lock").read_text().split()[0])

    def processes(self, word: str = "") -> list[int]:
        """Everything that was started with this run's folder in its environment, make and the guard included."""
        mark = f"SCALP_VAR={self.var}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    found += [int(folder.name)] if word in command else []
            except OSError:  # it ended meanwhile, or is a zombie
                continue
        return found

    def leader(self, word: str) -> int:
        """The process that the launcher started for a part, as told by a word of its command."""
        leaders = [process for process in self.processes(word) if os.getpgid(process) == process]
        assert len(leaders) == 1, leaders
        return leaders[0]

    def nothing_is_left(self) -> bool:
        return not self.processes()


def can_listen(port: int) -> bool:
    try:
        listen(LOOPBACK, port).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, small_bundle: Path) -> Iterator[MakeRun]:
    run = MakeRun(tmp_path_factory.mktemp("run"), small_bundle)
    run.start()
    try:
        run.until_said("Ctrl-C", 280)
        yield run
    finally:
        for process in run.processes():
            os.kill(process, signal.SIGKILL)
        run.make.wait(10)


def test_it_prints_addresses_that_answer(run: MakeRun) -> None:
    said = run.said.read_text()
    for address in (f"{run.service.url}/", f"{run.service.url}/api/docs/", f"http://127.0.0.1:{run.flower_port}/"):
        assert address in said
        assert requests.get(address, timeout=10).status_code == 200
    ready = requests.get(f"{run.service.url}/readyz", timeout=10).json()
    assert (ready["ready"], ready["models_resident"]) == (True, 7)


def test_the_printed_name_and_password_open_the_admin_pages(run: MakeRun) -> None:
    name, password = re.search(r"name (\S+), password (\S+) ", run.said.read_text()).groups()
    with requests.Session() as browser:
        login = f"{run.service.url}/admin/login/?next=/admin/"
        browser.get(login, timeout=10)
        answers = {"username": name, "password": password, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        page = browser.post(login, data=answers, headers={"Referer": login}, timeout=10)
    assert page.status_code == 200
    assert page.url == f"{run.service.url}/admin/"
    assert password not in "".join(log.read_text() for log in (run.var / "log").iterdir())


def test_a_photo_comes_back_with_its_result(run: MakeRun) -> None:
    submitted = run.service.submit()
    assert submitted.status_code == 202
    assert run.service.wait(submitted.json()["id"])["status"] in {"succeeded", "rejected"}


def test_nobody_else_on_the_machine_reads_what_it_keeps(run: MakeRun) -> None:
    assert run.service.submit().status_code == 202
    assert stat.S_IMODE(run.var.stat().st_mode) == 0o700
    kept = [path for path in run.var.rglob("*") if not path.is_symlink()]
    assert {"db.sqlite3", "secret-key", "broker.conf", "web.log"} <= {path.name for path in kept}
    photos, logs = list((run.var / "photos").iterdir()), list((run.var / "log").iterdir())
    assert photos
    secrets = [
        path for path in kept if path.name in {"secret-key", "broker.conf"} or path.name.startswith("db.sqlite3")
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (*secrets, *photos, *logs)} == {0o600}


def every_command() -> str:
    """The words of all processes of the machine, as any of its users may read them."""
    words = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # It ended meanwhile.
            words.append(command.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return "\n".join(words)


def test_nobody_without_its_password_rings_counts_or_empties_the_queue(run: MakeRun) -> None:
    host = f"redis://{run.broker().rsplit('@')[-1]}"
    for url in (host, host.replace("//", "//:guess@")):
        with redis.Redis.from_url(url) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.llen("photos")
    password = broker_password(run.var / "run" / "broker.conf")
    commands = every_command()
    # The broker's own is among them, in whatever words it has put it by now.
    assert (run.var / "run" / "broker-port").read_text().strip() in commands
    assert password not in commands
    assert password not in run.said.read_text() + "".join(log.read_text() for log in (run.var / "log").iterdir())


def test_flower_listens_on_loopback_alone(run: MakeRun) -> None:
    words = (Path("/proc") / str(run.leader("flower")) / "cmdline").read_bytes().split(b"\0")
    assert b"--address=127.0.0.1" in words
    for call in ("worker/shutdown/model@nowhere", "task/revoke/nothing"):
        answer = requests.post(f"http://127.0.0.1:{run.flower_port}/api/{call}", timeout=10)
        assert answer.status_code == 401


def test_a_second_run_is_told_of_the_first(run: MakeRun) -> None:
    second = subprocess.run(["make", "run"], cwd=ROOT, env=run.environment, capture_output=True, text=True)
    assert second.returncode != 0
    assert f"already runs from this folder: {run.service.url} (process {run.launcher()})" in second.stdout


def test_a_taken_port_stops_another_run_before_it_starts_anything(run: MakeRun, tmp_path: Path) -> None:
    elsewhere = {**run.environment, "SCALP_VAR": str(tmp_path / "var")}
    second = subprocess.run(["make", "run"], cwd=ROOT, env=elsewhere, capture_output=True, text=True)
    assert second.returncode != 0
    assert f"Port {run.service.port} is taken. Choose another: SCALP_PORT=" in second.stdout
    assert not (tmp_path / "var" / "log").exists()


def test_a_killed_broker_and_web_server_restart_and_photos_go_through(run: MakeRun) -> None:
    broker = run.broker()
    with redis.Redis.from_url(broker) as client:
        before = client.info("server")["process_id"]
    os.kill(before, signal.SIGKILL)
    os.kill(run.leader("gunicorn"), signal.SIGKILL)
    run.until_said("broker ended (killed by SIGKILL); it restarts", 30)
    run.until_said("web ended (killed by SIGKILL); it restarts", 30)

    until(lambda: broker_ready(broker), 30, "the broker")
    with redis.Redis.from_url(broker) as client:
        assert client.info("server")["process_id"] != before
    until(run.service.ready, 60, "readiness")
    submitted = run.service.submit()
    assert submitted.status_code == 202
    assert run.service.wait(submitted.json()["id"], 120)["status"] in {"succeeded", "rejected"}


def test_kill_9_of_the_launcher_leaves_nothing_behind(run: MakeRun) -> None:
    """The last test of this run: it ends it."""
    assert len(run.processes("gunicorn")) == 3
    os.kill(run.launcher(), signal.SIGKILL)
    until(run.nothing_is_left, 30, "the end of every process")
    for port in (run.service.port, run.flower_port):
        until(lambda port=port: can_listen(port), 10, f"the end of whoever listens on port {port}")


def test_ctrl_c_in_the_middle_of_a_start_leaves_nothing_behind(run: MakeRun) -> None:
    run.start()
    run.until_said("web           ready", 120)
    os.killpg(run.make.pid, signal.SIGINT)  # a terminal sends it to make and the launcher alike
    run.until_said("Stopped after", 60)
    run.make.wait(10)
    until(run.nothing_is_left, 10, "the end of every process")
    assert "Traceback" not in run.said.read_text()
