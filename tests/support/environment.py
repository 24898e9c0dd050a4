"""The environment of a test run: a broker and, when asked for, a PostgreSQL server, both real.

Loaded by pytest before anything else (`-p tests.support.environment`), because Django reads its settings from the
environment the moment it is set up. `SCALP_TEST_DATABASE=postgresql` runs the tests on PostgreSQL.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from deploy.launcher.broker_server import broker_command, broker_ready, broker_url
from deploy.launcher.process import dies_with
from deploy.launcher.settings import LOOPBACK, free_port

ROOT = Path(__file__).resolve().parents[2]
SCRATCH = Path(tempfile.mkdtemp(prefix="scalp-tests-"))
POSTGRESQL = os.environ.get("SCALP_TEST_DATABASE") == "postgresql"


def spawn(command: list[str], log: Path, **options: object) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own that does not outlive the tests; its output goes to `log`.

    The options are those of `Popen`.
    """
    with log.open("ab") as output:
        inherited = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
        return subprocess.Popen(
            command,
            cwd=ROOT,
            start_new_session=True,
            preexec_fn=dies_with(os.getpid()),
            **{**inherited, **options},  # type: ignore[call-overload]
        )


class NotHere(Exception):
    """What can't be brought about on this machine; the sentence says why."""


def until(holds: object, seconds: float, what: str) -> None:
    """Wait until `holds()` is true; fail with `what` after `seconds`."""
    end = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come about within {seconds:g} s")
        time.sleep(0.05)


def _start_broker() -> str:
    port = free_port()
    process = spawn(broker_command(SCRATCH / "broker", port), SCRATCH / "broker.log")
    atexit.register(process.kill)
    url = broker_url(port)
    until(lambda: broker_ready(url), 10, "the broker")
    return url


def postgresql_programs() -> Path | None:
    """The folder of the newest PostgreSQL server's programs; None where there is none."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    found = shutil.which("initdb") or (programs and programs[-1] / "initdb")
    return Path(found).resolve().parent if found else None


class PostgreSQL:
    """A server of its own in a scratch folder. Its programs refuse to run as root, so root lends them a user.

    `host` is the address at which it listens; any host in a network with it may connect.
    """

    def __init__(self, folder: Path, log: Path, host: str = LOOPBACK) -> None:
        self.folder = folder
        self.log = log
        self.host = host
        self.port = free_port()
        self.user = "postgres" if os.geteuid() == 0 else None
        programs = postgresql_programs()
        if programs is None:
            raise SystemExit("PostgreSQL's programs are missing. Debian, Ubuntu: apt install postgresql")
        self.programs = programs
        folder.mkdir(mode=0o700)
        if self.user:
            shutil.chown(folder, self.user)
            folder.parent.chmod(0o711)
        self._run("initdb", "-D", str(folder), "--auth=trust", "--username=scalp", "--encoding=UTF8", "--no-sync")
        with (folder / "pg_hba.conf").open("a") as file:
            file.write("host all all samenet trust\n")
        self.process = self.start()
        until(self.ready, 30, f"PostgreSQL (log in {self.log})")

    def start(self) -> subprocess.Popen[bytes]:
        """Start it without waiting until it is ready."""
        settings = {"fsync": "off", "max_connections": "200", "unix_socket_directories": "", "port": str(self.port)}
        # Its log of changes keeps within a small disk.
        settings |= {"min_wal_size": "32MB", "max_wal_size": "64MB", "listen_addresses": self.host}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [str(self.programs / "postgres"), "-D", str(self.folder), *options]
        self.process = spawn(command, self.log, user=self.user)
        return self.process

    def ready(self) -> bool:
        done = subprocess.run(
            [str(self.programs / "pg_isready"), "-h", self.host, "-p", str(self.port)], capture_output=True
        )
        return done.returncode == 0

    def create_database(self, name: str) -> str:
        """Create a database and return its URL."""
        at = ["-h", self.host, "-p", str(self.port), "-U", "scalp"]
        subprocess.run([str(self.programs / "createdb"), *at, name], check=True, capture_output=True)
        return f"postgresql://scalp@{self.host}:{self.port}/{name}"

    def stop(self) -> None:
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(10)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self.programs / program), *arguments], check=True, capture_output=True, user=self.user, cwd="/"
        )


def _clean_up() -> None:
    if postgresql:
        postgresql.stop()
    shutil.rmtree(SCRATCH, ignore_errors=True)


postgresql = PostgreSQL(SCRATCH / "postgresql", SCRATCH / "postgresql.log") if POSTGRESQL else None
atexit.register(_clean_up)

# Shells start background jobs with SIGINT ignored, and children inherit that: Ctrl-C could not be tested.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# And `nohup` starts them with SIGHUP ignored.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# The environment of the tests may name a collector.
for _name in [name for name in os.environ if name.startswith("OTEL_")]:
    del os.environ[_name]

os.environ |= {
    "DJANGO_SETTINGS_MODULE": "backend.config.settings",
    "SCALP_VAR": str(SCRATCH / "var"),
    "SCALP_SECRET_KEY": "a key for tests, long enough and used for nothing else",
    "SCALP_BROKER_URL": _start_broker(),
    "SCALP_ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "SCALP_LEASE_SECONDS": "6",
    "SCALP_SUBMITS_PER_MINUTE": "100000",
    "SCALP_LOGINS_PER_MINUTE": "100000",
    "SCALP_QUESTIONS_PER_MINUTE": "100000",
    # Working out 2,700 meanings takes minutes: what needs them turns this on.
    "SCALP_QUESTIONS_BY_MEANING": os.environ.get("SCALP_QUESTIONS_BY_MEANING", "false"),
    "SCALP_LOG_LEVEL": "WARNING",
    # The tests' networks are small: a second thread costs them more in waiting than it computes.
    "OMP_NUM_THREADS": "1",
    # Compiled networks: the seven small ones that most tests share are compiled once.
    "SCALP_CACHE": str(ROOT / "var" / "test-cache"),
}
if postgresql:
    os.environ["SCALP_DATABASE_URL"] = postgresql.create_database("scalp")
else:
    os.environ.pop("SCALP_DATABASE_URL", None)
