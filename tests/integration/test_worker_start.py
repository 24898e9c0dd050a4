"""A worker that can not work does not start: Celery would go on and take messages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.environment import ROOT

pytestmark = pytest.mark.processes

SAFE = ("--pool", "threads", "--concurrency", "16", "-E")


def start(folder: Path, bundle: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Start a model worker on a database that has no tables, and wait for its end."""
    environment = {**os.environ, "SCALP_VAR": str(folder), "SCALP_BUNDLE": str(bundle), "SCALP_TEST_DATABASE": ""}
    environment["SCALP_DATABASE_URL"] = f"sqlite:///{folder / 'empty.sqlite3'}"
    command = [sys.executable, "-m", "celery", "-A", "workers.model", "worker", "--queues", "nobody", *options]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


def test_a_model_worker_without_a_database_exits_and_takes_no_messages(tmp_path: Path) -> None:
    ended = start(tmp_path, tmp_path, *SAFE)
    assert ended.returncode != 0
    assert "This worker does not start: OperationalError" in ended.stderr


def test_a_model_worker_with_unsafe_options_says_what_to_use(tmp_path: Path) -> None:
    ended = start(tmp_path, tmp_path, "--pool", "solo", "--concurrency", "1")
    assert ended.returncode != 0
    assert "Use --pool threads" in ended.stderr
    assert "Use --concurrency" in ended.stderr
