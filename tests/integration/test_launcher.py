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

from deploy.launcher.broker_server import broker_password, broker_ready
from deploy.launcher.settings import LOOPBACK, listen
from tests.support.environment import ROOT, until
from tests.support.make_run import MakeRun

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes by their environment in /proc"),
]


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
    for address in (f"{run.service.url}/", f"{run.service.url}/api/docs/"):
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


def test_flower_opens_with_the_printed_password_and_not_without(run: MakeRun) -> None:
    flower = f"http://127.0.0.1:{run.flower_port}/"
    name, password = re.search(rf"{flower}\s+name (\S+), password (\S+)", run.text()).groups()
    for path in ("", "workers", "tasks", "tasks/datatable?draw=1&start=0&length=5", "broker", "api/workers"):
        # Nor a page in a browser of this machine that calls itself by another name.
        for host in (f"127.0.0.1:{run.flower_port}", "evil.example"):
            assert requests.get(flower + path, headers={"Host": host}, timeout=10).status_code == 401
    assert requests.get(flower, auth=(name, password), timeout=10).status_code == 200
    assert password not in every_command()
    assert stat.S_IMODE((run.var / "run" / "flower-password").stat().st_mode) == 0o600


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
        until(lambda port=port: can_listen(port), 10, f"the end of the process that listens on port {port}")


def test_ctrl_c_in_the_middle_of_a_start_leaves_nothing_behind(run: MakeRun) -> None:
    run.start()
    run.until_said("web           ready", 120)
    os.killpg(run.make.pid, signal.SIGINT)  # a terminal sends it to make and the launcher alike
    run.until_said("Stopped after", 60)
    run.make.wait(10)
    until(run.nothing_is_left, 10, "the end of every process")
    assert "Traceback" not in run.said.read_text()
