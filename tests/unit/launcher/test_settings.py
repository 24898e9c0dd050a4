"""What the person at the terminal may choose, and the sentences where it cannot be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.launcher.lock import only_run
from deploy.launcher.programs import Programs
from deploy.launcher.settings import LOOPBACK, Settings, free_port, listen
from deploy.launcher.terminal import LaunchError
from tests.support.environment import ROOT


@pytest.mark.parametrize("value", ["0", "65536", "eight", "-1", "80.5", "²"])
def test_a_port_that_is_none_is_refused_by_its_name(value: str) -> None:
    with pytest.raises(LaunchError, match="SCALP_PORT is"):
        Settings.read(ROOT, {"SCALP_PORT": value})


def test_two_services_on_one_port_are_refused() -> None:
    with pytest.raises(LaunchError, match="choose two ports"):
        Settings.read(ROOT, {"SCALP_PORT": "5555"})


@pytest.mark.parametrize("variable", ["SCALP_PORT", "SCALP_FLOWER_PORT"])
def test_a_taken_port_is_named_with_the_variable_that_changes_it(variable: str) -> None:
    with listen(LOOPBACK, 0) as taken:
        port = taken.getsockname()[1]
        chosen = {"SCALP_PORT": str(free_port()), "SCALP_FLOWER_PORT": str(free_port()), variable: str(port)}
        with pytest.raises(LaunchError, match=rf"Port {port} is taken\. Choose another: {variable}=\d+ make run"):
            Settings.read(ROOT, chosen).check_ports()


def test_an_address_that_is_not_of_this_machine_is_said() -> None:
    with pytest.raises(LaunchError, match=r"SCALP_HOST is '192\.0\.2\.1'"):  # reserved for documents, RFC 5737
        Settings.read(ROOT, {"SCALP_HOST": "192.0.2.1", "SCALP_PORT": str(free_port())}).check_ports()


def test_the_web_role_is_asked_on_loopback_where_it_listens_everywhere() -> None:
    settings = Settings.read(ROOT, {"SCALP_HOST": "0.0.0.0", "SCALP_ALLOWED_HOSTS": "scalp.example"})
    assert settings.url == "http://127.0.0.1:8000"
    allowed = settings.environment("redis://", {"SCALP_ALLOWED_HOSTS": "scalp.example"})["SCALP_ALLOWED_HOSTS"]
    assert allowed == "scalp.example,127.0.0.1"


def test_each_device_gets_a_model_worker_of_its_own() -> None:
    def workers(device: str) -> list[tuple[str, str, str]]:
        settings = Settings.read(ROOT, {"SCALP_DEVICE": device} if device else {})
        commands = {program.name: program.command for program in Programs(settings, Path("python"), "").model_workers()}
        return [
            (name, command[1] if command[0] == "env" else "", command[command.index("--hostname") + 1])
            for name, command in commands.items()
        ]

    assert workers("") == workers("cuda") == [("model worker", "", "model@%h")]
    assert workers("cuda:0, cuda:1") == [
        ("model worker-1", "SCALP_DEVICE=cuda:0", "model-1@%h"),
        ("model worker-2", "SCALP_DEVICE=cuda:1", "model-2@%h"),
    ]


def test_a_second_run_in_the_same_folder_is_told_of_the_first(tmp_path: Path) -> None:
    lock = tmp_path / "run" / "launcher.lock"
    sentence = r"already runs.*http://127\.0\.0\.1:8000 \(process \d+\)"
    with (
        only_run(lock, "http://127.0.0.1:8000"),
        pytest.raises(LaunchError, match=sentence),
        only_run(lock, "http://127.0.0.1:8001"),
    ):
        pass
    with only_run(lock, "http://127.0.0.1:8001"):
        pass


def test_a_run_that_was_killed_leaves_no_lock(tmp_path: Path) -> None:
    lock = tmp_path / "launcher.lock"
    code = (
        "import os, sys; from pathlib import Path; from deploy.launcher.lock import only_run\n"
        "with only_run(Path(sys.argv[1]), 'here'): os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(lock)], cwd=ROOT).returncode == -9
    with only_run(lock, "http://127.0.0.1:8000"):
        pass


def test_each_worker_serves_metrics_on_its_own_port_where_set() -> None:
    def ports(**environ: str) -> list[str]:
        programs = Programs(Settings.read(ROOT, environ), Path("python"), "")
        commands = [program.command for program in (*programs.model_workers(), programs.upkeep())]
        return [word.partition("=")[2] for command in commands for word in command if "METRICS_PORT=" in word]

    assert ports() == ports(SCALP_METRICS_PORT="0") == []
    assert ports(SCALP_METRICS_PORT="9100") == ["9100", "9101"]
    assert ports(SCALP_METRICS_PORT="9100", SCALP_DEVICE="cuda:0,cuda:1") == ["9100", "9101", "9102"]
