"""`python3 -m deploy.launcher COMMAND`: the commands behind `make`, listed in `COMMANDS`.

It starts on a bare Python 3.11 or newer, creates the virtual environment, and continues inside it.
"""

from __future__ import annotations

import io
import os
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

from deploy.launcher import pins, verification
from deploy.launcher.broker_server import broker_password, broker_port, broker_ready, broker_url
from deploy.launcher.environment import Environment
from deploy.launcher.lock import only_run
from deploy.launcher.programs import Programs, own_broker
from deploy.launcher.settings import LOOPBACK, Settings
from deploy.launcher.supervisor import Supervisor
from deploy.launcher.terminal import LaunchError, say

ROOT = Path(__file__).resolve().parent.parent.parent


def run() -> None:
    """Starts everything on this machine, prints the addresses, and runs until Ctrl-C."""
    settings = Settings.read(ROOT, os.environ)
    with only_run(settings.state / "launcher.lock", settings.url):
        settings.check_ports()
        environment = enter_environment("run")
        keep_private(settings.var)

        port = broker_port(settings.state / "broker-port")
        broker = settings.broker_url or broker_url(port, broker_password(settings.broker_password))
        programs = Programs(settings, environment.python, broker)

        parent = os.getppid() if "MAKELEVEL" in os.environ else None
        surroundings = settings.environment(broker, os.environ)
        with Supervisor(ROOT, settings.logs, surroundings, parent) as supervisor:
            if not settings.broker_url:
                supervisor.start(own_broker(settings, port, broker))
            elif not broker_ready(broker):
                raise LaunchError(f"No broker answers at {broker.rsplit('@')[-1]}. Check SCALP_BROKER_URL.")
            supervisor.run("database", programs.manage("migrate", "--noinput"))
            supervisor.run("questions", programs.manage("load_questions"))
            supervisor.run("clinics", programs.manage("sample_clinics", "--unless-any"))
            supervisor.run("products", programs.manage("sample_products", "--unless-any"))
            supervisor.run("static files", programs.manage("collectstatic", "--noinput"))
            supervisor.start(programs.web())
            for worker in programs.model_workers():
                supervisor.start(worker)
            supervisor.start(programs.upkeep())
            supervisor.start(programs.schedule())
            supervisor.start(programs.flower())
            admin = supervisor.read_output("first admin", programs.manage("create_first_admin"))
            welcome(settings, admin)
            supervisor.watch()


def keep_private(var: Path) -> None:
    """Closes `var`, which holds database, photos, logs and secrets, and all new files to other users."""
    var.mkdir(parents=True, exist_ok=True)
    try:
        var.chmod(0o700)
    except PermissionError:
        raise LaunchError(f"{var} belongs to another user. Choose another folder with SCALP_VAR.") from None
    os.umask(0o077)


def welcome(settings: Settings, admin: str) -> None:
    """Prints where everything is. `admin` is a name and a password if one was just created, else empty."""
    say()
    say(f"  Open          {settings.url}/")
    say(f"  Admin         {settings.url}/admin/")
    if admin:
        name, password = admin.split()
        say(f"                name {name}, password {password} (shown this once)")
    say(f"  Queue         {settings.flower_url}/")
    say("                name {}, password {}".format(*settings.flower_login))
    say(f"  API           {settings.url}/api/docs/")
    if settings.metrics_ports:
        urls = [f"{settings.url}/metrics", *(f"http://{LOOPBACK}:{port}/metrics" for port in settings.metrics_ports)]
        say(f"  Metrics       {' '.join(urls)}")
    say(f"  Logs          {settings.logs}")
    say("  Stop          Ctrl-C")
    say()


def enter_environment(role: str) -> Environment:
    """Prepares `.venv` for a role. If this process runs outside it, restarts the command inside it."""
    environment = Environment(ROOT)
    environment.prepare(role)
    if Path(sys.prefix).resolve() != environment.folder.resolve():
        os.chdir(ROOT)
        os.execv(environment.python, [str(environment.python), "-m", "deploy.launcher", *sys.argv[1:]])  # noqa: S606
    return environment


def test() -> None:
    verification.install_system_packages()
    verification.test(ROOT, enter_environment("dev"), sys.argv[2:])


def check() -> None:
    verification.check(ROOT, enter_environment("dev"))


def audit() -> None:
    verification.audit(ROOT, enter_environment("dev"))


def bench() -> None:
    """Runs the benchmark and the servers that it compares with; takes the options of `python -m tests.bench`."""
    python = str(enter_environment("bench").python)
    os.chdir(ROOT)
    os.execv(python, [python, "-m", "tests.bench", *sys.argv[2:]])  # noqa: S606


def fuzz() -> None:
    """Sends the whole hostile corpus to its own web server; takes the options of `python -m tests.hostile`."""
    python = str(enter_environment("dev").python)
    os.chdir(ROOT)
    os.execv(python, [python, "-m", "tests.hostile", *sys.argv[2:]])  # noqa: S606


def load() -> None:
    """Simulates many clients; takes the options of `python -m tests.load`."""
    _tests_load(*sys.argv[2:])


def soak() -> None:
    _tests_load("--only", "soak", *sys.argv[2:])


def _tests_load(*options: str) -> NoReturn:
    python = str(enter_environment("dev").python)
    os.chdir(ROOT)
    os.execv(python, [python, "-m", "tests.load", *options])  # noqa: S606


def lighthouse() -> None:
    """Runs Lighthouse on the running service. It comes from npm, so it is not part of the tests."""
    if not shutil.which("npx"):
        raise LaunchError("Lighthouse needs Node 18.20 or newer with npx. Debian, Ubuntu: apt install nodejs npm")
    verification.install_system_packages()
    python = str(enter_environment("dev").python)
    os.chdir(ROOT)
    os.execv(python, [python, "-m", "tests.browser.lighthouse", *sys.argv[2:]])  # noqa: S606


def clients() -> None:
    """Generates two clients of the API and runs them, with generators from PyPI and npm."""
    if not shutil.which("npx"):
        raise LaunchError(
            "The TypeScript client needs Node 20 or newer with npx. Debian, Ubuntu: apt install nodejs npm"
        )
    verification.install_system_packages()
    python = str(enter_environment("dev").python)
    os.chdir(ROOT)
    os.execv(python, [python, "-m", "tests.clients", *sys.argv[2:]])  # noqa: S606


def chaos() -> None:
    """Runs the full fault matrix; takes the options of `python -m tests.chaos`."""
    verification.install_system_packages()
    python = str(enter_environment("dev").python)
    os.chdir(ROOT)
    os.execv(python, [python, "-m", "tests.chaos", *sys.argv[2:]])  # noqa: S606


def pin() -> None:
    pins.pin(ROOT, enter_environment("dev").python, sys.argv[2:])


COMMANDS = {
    "run": run,
    "test": test,
    "check": check,
    "audit": audit,
    "bench": bench,
    "chaos": chaos,
    "fuzz": fuzz,
    "load": load,
    "soak": soak,
    "lighthouse": lighthouse,
    "clients": clients,
    "pin": pin,
}


def main() -> None:
    command = COMMANDS.get(sys.argv[1] if len(sys.argv) > 1 else "")
    if command is None:
        raise SystemExit(f"usage: python3 -m deploy.launcher {' | '.join(COMMANDS)}")
    # A terminal or a log with another encoding shows a mark for what it lacks, such as the dash in a sentence.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    # Scripts start background jobs with SIGINT ignored, which children inherit; then nothing could stop them in order.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        signal.signal(signal.SIGHUP, _interrupt)
    try:
        command()
    except LaunchError as error:
        say(f"\n{error}")
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        say("\nStopped.")
        raise SystemExit(130) from None


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
