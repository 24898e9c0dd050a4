"""A process and its log."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from deploy.launcher import process as processes
from deploy.launcher.process import Process


def test_a_log_is_rotated_while_its_process_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LOG_MAX_BYTES", 1000)
    log = tmp_path / "part.log"
    running = Process(["sh", "-c", "while true; do echo 0123456789; sleep 0.001; done"], log, os.environ, tmp_path)
    try:
        deadline = time.monotonic() + 20
        rotations = 0
        while rotations < 3 and time.monotonic() < deadline:
            before = log.stat().st_size
            running.rotate_log()
            rotations += log.stat().st_size < before
            time.sleep(0.01)
        assert rotations == 3
        assert running.alive()
        assert log.read_bytes().strip(b"\n0123456789") == b"", "it goes on at the start of the file, without a hole"
        assert len(log.with_name("part.log.1").read_bytes()) > 1000
    finally:
        running.kill()
