"""The supervisor: a real one in a process of its own, over small real servers that have children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.launcher.guard import Guard
from deploy.launcher.settings import LOOPBACK, free_port, listen
from tests.support.environment import ROOT

pytestmark = pytest.mark.processes

# A part: it writes down its process id and that of a child, which ignores SIGTERM as a hung worker would.
SERVER = """
import http.server, os, signal, subprocess, sys
folder, name, port = sys.argv[1:]
os.chdir(folder)
child = subprocess.Popen(["sh", "-c", "trap '' TERM; while :; do sleep 1; done"])
with open("pids", "w") as file:
    file.write(f"{os.getpid()} {child.pid}")
os.replace("pids", f"{name}.pids")
print("the", name, "server speaks", flush=True)

def end(*_):
    with open("ended", "a") as file:
        file.write(name + " ")
    sys.exit()

if name == "broken":
    sys.exit("no such table: human")
signal.signal(signal.SIGTERM, signal.SIG_IGN if name == "stubborn" else end)
http.server.HTTPServer(("127.0.0.1", int(port)), http.server.SimpleHTTPRequestHandler).serve_forever()
"""

LAUNCHER = """
import os, socket, sys
from pathlib import Path
from deploy.launcher.supervisor import Program, Supervisor
from deploy.launcher.terminal import LaunchError, say

root, folder, *words = sys.argv[1:]

def listens(port):
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0

try:
    with Supervisor(Path(root), Path(folder, "log"), os.environ, os.getppid()) as supervisor:
        for word in words:
            name, port = word.split(":")
            outlasts = name == "broker"
            command = [sys.executable, folder + "/server.py", folder, name, port]
            supervisor.start(Program(name, command, lambda: listens(int(port)), stop_timeout=1, outlasts=outlasts))
        say("all ready")
        supervisor.watch()
except LaunchError as error:
    say(str(error))
    sys.exit(1)
"""


def wait_until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def alive(process: int) -> bool:
    """Whether it runs; a zombie that waits to be reaped does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True).stdout
    return bool(state.strip()) and not state.startswith("Z")


class LauncherProcess:
    """A supervisor in its own process, and what it started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said = folder / "said"
        self.ports: dict[str, int] = {}

    def start(self, *names: str, through: tuple[str, ...] = ()) -> subprocess.Popen:
        """Starts it, below the command `through` where there is one."""
        self.ports = {name: free_port() for name in names}
        words = [f"{name}:{port}" for name, port in self.ports.items()]
        (self.folder / "server.py").write_text(SERVER)
        command = [*through, sys.executable, "-c", LAUNCHER, str(ROOT), str(self.folder), *words]
        with self.said.open("w") as said:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said)
        return self.process

    def ready(self) -> None:
        wait_until(lambda: "all ready" in self.said.read_text() or self.process.poll() is not None)
        assert "all ready" in self.said.read_text(), self.said.read_text()

    def pids(self, name: str) -> list[int]:
        """Of the server and of its child."""
        file = self.folder / f"{name}.pids"
        return [int(word) for word in file.read_text().split()] if file.exists() else []

    def everyone(self) -> list[int]:
        return [process for name in self.ports for process in self.pids(name)]

    def nothing_left(self) -> bool:
        return not any(map(alive, self.everyone()))


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[LauncherProcess]:
    launcher = LauncherProcess(tmp_path)
    yield launcher
    launcher.process.kill()
    launcher.process.wait()
    for process in launcher.everyone():  # a test that failed must not leave what it looked for
        if alive(process):
            os.kill(process, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_parts_and_their_children_and_the_broker_last(
    launcher: LauncherProcess, number: signal.Signals
) -> None:
    process = launcher.start("broker", "first", "second")
    launcher.ready()
    process.send_signal(number)
    assert process.wait(30) == 0
    assert launcher.nothing_left()
    ended = (launcher.folder / "ended").read_text().split()
    assert sorted(ended) == ["broker", "first", "second"]
    assert ended[-1] == "broker"


def test_a_part_that_ignores_sigterm_is_killed(launcher: LauncherProcess) -> None:
    process = launcher.start("stubborn")
    launcher.ready()
    process.terminate()
    assert process.wait(30) == 0
    assert launcher.nothing_left()
    assert "stubborn did not stop in time and was killed" in launcher.said.read_text()


def test_kill_9_of_the_launcher_takes_everything_along(launcher: LauncherProcess) -> None:
    process = launcher.start("first", "second")
    launcher.ready()
    assert len(launcher.everyone()) == 4
    process.kill()
    wait_until(launcher.nothing_left)


def test_the_guard_kills_the_groups_that_are_left_and_only_those() -> None:
    """What takes the parts along where the kernel does not offer to; a guard that was killed is replaced."""
    guard = Guard(ROOT)
    left, other = (subprocess.Popen(["sleep", "600"], process_group=0) for _ in range(2))
    try:
        guard.add(left.pid)
        guard.add(other.pid)
        os.kill(guard.process_id, signal.SIGKILL)
        wait_until(lambda: not alive(guard.process_id))
        guard.remove(other.pid)
        guard.close()
        assert left.wait(30) == -signal.SIGKILL
        assert other.poll() is None
    finally:
        for process in (left, other):
            process.kill()
            process.wait()


def test_the_death_of_make_ends_the_launcher(launcher: LauncherProcess) -> None:
    """`sh -c '… ; true'` stands for make: a parent that dies by kill -9 without telling its child."""
    script = '"$@"; true'
    process = launcher.start("first", through=("sh", "-c", script, "sh"))
    launcher.ready()
    process.kill()
    wait_until(launcher.nothing_left)
    wait_until(lambda: "Stopped after" in launcher.said.read_text())


def test_a_part_that_dies_is_started_again_without_its_old_children(launcher: LauncherProcess) -> None:
    launcher.start("first")
    launcher.ready()
    server, child = launcher.pids("first")
    os.kill(server, signal.SIGKILL)
    wait_until(lambda: launcher.pids("first") != [server, child])
    wait_until(lambda: alive(launcher.pids("first")[0]))
    assert not alive(child)
    assert "first ended (killed by SIGKILL); it restarts in 1 s" in launcher.said.read_text()


def test_a_part_that_dies_twice_shows_the_end_of_its_log_and_waits_longer(launcher: LauncherProcess) -> None:
    launcher.start("first")
    launcher.ready()
    for _ in range(2):
        pids = launcher.pids("first")
        os.kill(pids[0], signal.SIGKILL)
        wait_until(lambda pids=pids: launcher.pids("first") not in ([], pids))
    said = launcher.said.read_text()
    assert "it restarts in 2 s" in said
    assert "first server speaks" in said


def test_a_part_that_ends_before_it_is_ready_aborts_the_start_with_its_log(launcher: LauncherProcess) -> None:
    process = launcher.start("first", "broken")
    assert process.wait(30) == 1
    assert launcher.nothing_left()
    said = launcher.said.read_text()
    assert "broken ended before it was ready (exit 1)" in said
    assert "no such table: human" in said


def test_nothing_listens_after_the_end(launcher: LauncherProcess) -> None:
    process = launcher.start("first")
    launcher.ready()
    process.terminate()
    process.wait(30)
    listen(LOOPBACK, launcher.ports["first"]).close()
