"""The server's configuration file."""

from __future__ import annotations

import os
import runpy
import subprocess
from pathlib import Path

import pytest

from tests.support.environment import ROOT


def test_what_killed_servers_left_in_memory_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    configuration = runpy.run_path(str(ROOT / "deploy" / "gunicorn.conf.py"))
    start = configuration["on_starting"]
    start.__globals__["worker_tmp_dir"] = tmp_path
    with subprocess.Popen(["true"]) as ended:
        pass
    left, running = tmp_path / f"scalp-metrics-{ended.pid}-abc", tmp_path / f"scalp-metrics-{os.getpid()}-abc"
    for folder in (left, running):
        folder.mkdir()
        (folder / "counter_0.db").write_bytes(b"x")
    start(None)
    assert not left.exists()
    assert running.exists()
    assert Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).parent == tmp_path
