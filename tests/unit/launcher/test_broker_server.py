"""The broker of our own: a real server on a free port."""

from __future__ import annotations

import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from deploy.launcher.broker_server import broker_command, broker_password, broker_port, broker_ready, broker_url
from deploy.launcher.settings import LOOPBACK, free_port, listen

pytestmark = pytest.mark.processes


@contextmanager
def running_broker(directory: Path, port: int, password: Path | None = None) -> Iterator[subprocess.Popen]:
    command = broker_command(directory, port, password)
    url = broker_url(port, broker_password(password) if password else "")
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not broker_ready(url):
            assert server.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.05)
        yield server
    finally:
        server.kill()
        server.wait()


def test_what_was_queued_is_back_after_kill_9(tmp_path: Path) -> None:
    port = free_port()
    with running_broker(tmp_path / "broker", port) as server:
        with redis.Redis.from_url(broker_url(port)) as client:
            client.lpush("photos", "an id")
        server.kill()
        server.wait()
        assert not broker_ready(broker_url(port))
    with running_broker(tmp_path / "broker", port), redis.Redis.from_url(broker_url(port)) as client:
        assert client.lrange("photos", 0, -1) == [b"an id"]


def test_a_full_broker_refuses_instead_of_dropping(tmp_path: Path) -> None:
    port = free_port()
    with running_broker(tmp_path / "broker", port), redis.Redis.from_url(broker_url(port)) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_without_the_password_that_is_kept_nobody_gets_in(tmp_path: Path) -> None:
    port, kept = free_port(), tmp_path / "run" / "broker.conf"
    with running_broker(tmp_path / "broker", port, kept) as server:
        assert not broker_ready(broker_url(port))
        assert not broker_ready(broker_url(port, "guess"))
        assert broker_password(kept) not in " ".join(map(str, server.args))
        with redis.Redis.from_url(broker_url(port, broker_password(kept))) as client:
            client.lpush("photos", "an id")
    with running_broker(tmp_path / "broker", port, kept), redis.Redis.from_url(
        broker_url(port, broker_password(kept))
    ) as client:  # fmt: skip
        assert client.lrange("photos", 0, -1) == [b"an id"]


@pytest.mark.parametrize("text", [None, "", "requirepass short", "bind 0.0.0.0", "\0"])
def test_the_password_is_made_once_and_for_its_owner_alone(tmp_path: Path, text: str | None) -> None:
    kept = tmp_path / "run" / "broker.conf"
    if text is not None:
        kept.parent.mkdir()
        kept.write_text(text)
    password = broker_password(kept)
    assert len(password) >= 43
    assert broker_password(kept) == password
    assert kept.read_text() == f"requirepass {password}\n"
    kept.chmod(0o644)
    broker_password(kept)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_the_port_of_the_last_run_is_kept_while_it_is_free(tmp_path: Path) -> None:
    kept = tmp_path / "run" / "broker-port"
    port = broker_port(kept)
    assert broker_port(kept) == port
    with listen(LOOPBACK, port):
        assert broker_port(kept) != port


@pytest.mark.parametrize("text", ["", "no number", "99999999", "-1"])
def test_a_damaged_port_file_is_written_anew(tmp_path: Path, text: str) -> None:
    kept = tmp_path / "broker-port"
    kept.write_text(text)
    port = broker_port(kept)
    assert 0 < port < 65536
    assert kept.read_text() == f"{port}\n"


@pytest.mark.parametrize("url", ["redis://127.0.0.1:9/0", "nonsense"])
def test_a_broker_that_is_not_there_is_not_ready(url: str) -> None:
    assert not broker_ready(url)
