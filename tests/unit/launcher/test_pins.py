"""The locks: complete, hashed, and written by the real uv."""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

import pytest

from deploy.launcher import pins
from deploy.launcher.advisories import PIN
from deploy.launcher.uv import OF_TORCH
from tests.support.environment import ROOT
from tests.unit.launcher.test_environment import write_wheel

FOLDER = ROOT / "requirements"


def test_every_file_of_requirements_has_a_lock() -> None:
    assert set(pins.ROLES) == {file.stem for file in FOLDER.glob("*.in")} - {"torch"}
    assert set(pins.ROLES) == {file.stem for file in FOLDER.glob("*.txt")}


@pytest.mark.parametrize("role", pins.ROLES)
def test_every_locked_package_has_hashes(role: str) -> None:
    lock = (FOLDER / f"{role}.txt").read_text()
    packages = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert len(packages) == len(PIN.findall(lock)) > 0
    assert [package.split()[0] for package in packages if "--hash=sha256:" not in package] == []


def test_locks_agree_on_every_version() -> None:
    versions: dict[str, set[str]] = {}
    for role in pins.ROLES:
        for name, version in PIN.findall((FOLDER / f"{role}.txt").read_text()):
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


@pytest.mark.parametrize("role", pins.BESIDE_TORCH)
def test_a_role_beside_torch_installs_neither_torch_nor_cuda(role: str) -> None:
    assert OF_TORCH.findall((FOLDER / "worker.txt").read_text())
    assert OF_TORCH.findall((FOLDER / f"{role}.txt").read_text()) == []


def test_pinning_hashes_each_file_of_the_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels = [write_wheel(tmp_path / "index" / "tiny", "tiny", version) for version in ("1.0", "2.0")]
    links = "".join(f"<a href={wheel.name!r}>{wheel.name}</a>" for wheel in wheels)
    (tmp_path / "index" / "tiny" / "index.html").write_text(links)
    other = write_wheel(tmp_path / "other", "tiny", "3.0")
    requirements = tmp_path / "requirements"
    requirements.mkdir()
    (requirements / "dev.in").write_text("tiny\n")
    (requirements / "run.in").write_text("tiny<3\n")
    (requirements / "dev.txt").write_text("tiny==1.0\n")
    monkeypatch.setattr(pins, "ROLES", ("dev", "run"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "index").as_uri())
    monkeypatch.setenv("PIP_FIND_LINKS", str(other.parent))

    for options, wheel in ([], wheels[0]), (["--upgrade"], wheels[1]):
        pins.pin(tmp_path, Path(sys.executable), options)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        for role in pins.ROLES:
            lock = (requirements / f"{role}.txt").read_text()
            assert PIN.findall(lock) == [("tiny", wheel.name.split("-")[1])]
            assert f"--hash=sha256:{digest}" in lock
