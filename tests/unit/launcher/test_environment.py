"""The environment: real virtual environments, filled by the real pip from a wheel that the test writes."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deploy.launcher import environment as module
from deploy.launcher import interpreter
from deploy.launcher.environment import Environment
from deploy.launcher.pip import install
from deploy.launcher.terminal import LaunchError


def write_wheel(folder: Path, version: str) -> Path:
    """A wheel of the one-line package `tiny`."""
    wheel = folder / f"tiny-{version}-py3-none-any.whl"
    info = f"tiny-{version}.dist-info"
    files = {
        "tiny.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"]))
    return wheel


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "run.txt").write_text(f"{write_wheel(tmp_path, '1.0')}\n")
    return tmp_path


def installed(environment: Environment) -> str:
    code = "import tiny; print(tiny.VERSION)"
    return subprocess.check_output([str(environment.python), "-c", code], text=True).strip()


def test_an_environment_follows_its_pinned_file(checkout: Path) -> None:
    environment = Environment(checkout)
    environment.prepare("run")
    assert list(environment.folder.glob("lib/python*/site-packages/__pycache__/tiny.*.pyc"))  # before the first import
    assert installed(environment) == "1.0"

    (checkout / "tiny-1.0-py3-none-any.whl").unlink()  # an unchanged file must not ask for it again
    environment.prepare("run")

    (checkout / "requirements" / "run.txt").write_text(f"{write_wheel(checkout, '2.0')}\n")
    environment.prepare("run")
    assert installed(environment) == "2.0"


def test_an_environment_that_was_cut_off_while_unpacking_is_made_anew(checkout: Path) -> None:
    environment = Environment(checkout)
    environment.prepare("run")
    half_a_package = next(environment.folder.glob("lib/python*/site-packages")) / "half.py"
    half_a_package.touch()
    (environment.folder / "unfinished").touch()

    environment.prepare("run")

    assert not half_a_package.exists()
    assert not (environment.folder / "unfinished").exists()
    assert installed(environment) == "1.0"


def test_no_network_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # the discard port: nobody listens
    monkeypatch.setenv("PIP_RETRIES", "1")
    requirements = tmp_path / "run.txt"
    requirements.write_text("scalpspectra-has-no-such-package==1.0\n")

    with pytest.raises(LaunchError, match="no package index answers"):
        install(Path(sys.executable), requirements, tmp_path, tmp_path / "unfinished")
    assert not (tmp_path / "unfinished").exists()


def test_too_small_a_disk_is_said_before_anything_is_fetched(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIGABYTES_CUDA", "GIGABYTES_CPU"):
        monkeypatch.setattr(module, name, 10**9)
    environment = Environment(checkout)
    with pytest.raises(LaunchError, match="needs about 1000000000 GB of free disk"):
        environment.prepare("run")
    assert not environment.folder.exists()


def test_a_python_that_is_too_old_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\necho 3 9\n")
    old.chmod(0o755)
    monkeypatch.setattr(interpreter, "CANDIDATES", (str(old), str(tmp_path / "missing")))
    monkeypatch.setattr(sys, "executable", str(old))
    with pytest.raises(LaunchError, match=r"needs Python 3\.11 or newer"):
        interpreter.suitable_python()


def test_a_python_without_venv_is_told_the_package_that_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "python3"
    bare.write_text('#!/bin/sh\ncase "$2" in *version_info*) echo 3 12;; *) exit 1;; esac\n')
    bare.chmod(0o755)
    monkeypatch.setattr(interpreter, "CANDIDATES", ())
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(LaunchError, match=r"apt install python3\.12-venv"):
        interpreter.suitable_python()
