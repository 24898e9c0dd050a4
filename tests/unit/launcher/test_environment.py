"""The environment: real virtual environments, filled by the real pip and uv from wheels that the test writes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from deploy.launcher import environment as module
from deploy.launcher import interpreter
from deploy.launcher.environment import Environment
from deploy.launcher.terminal import LaunchError
from deploy.launcher.uv import pip_settings, pip_variables, uv_path, uv_variables


def write_wheel(folder: Path, name: str, version: str, files: dict[str, bytes] | None = None) -> Path:
    """A wheel of the one-line module `name`, or of these files."""
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    files = {
        **(files or {f"{name}.py": f"VERSION = {version!r}\n".encode()}),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = 0o100755 << 16
            archive.writestr(entry, content)
        archive.writestr(f"{info}/RECORD", "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"]))
    return wheel


def pin(wheel: Path) -> str:
    """The line of a lock."""
    name, version = wheel.name.split("-")[:2]
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


@pytest.fixture(scope="module")
def uv_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed uv as a wheel again, so that no test needs a network."""
    program = Path(uv_path(Path(sys.executable))).read_bytes()
    number = version("uv")
    return write_wheel(tmp_path_factory.mktemp("uv"), "uv", number, {f"uv-{number}.data/scripts/uv": program})


@pytest.fixture
def checkout(tmp_path: Path, uv_wheel: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose lock has version 1.0 of `tiny`. Wheels come from its folder `wheels` alone."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_", "SCALP_TORCH"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", f"{uv_wheel.parent} {tmp_path / 'wheels'}")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "uv.txt").write_text(pin(uv_wheel))
    write_lock(tmp_path, write_wheel(tmp_path / "wheels", "tiny", "1.0"))
    return tmp_path


def write_lock(checkout: Path, *wheels: Path) -> None:
    (checkout / "requirements" / "run.txt").write_text("".join(map(pin, wheels)))


def installed(environment: Environment, module: str = "tiny") -> str:
    code = f"import {module}; print({module}.VERSION)"
    return subprocess.check_output([str(environment.python), "-c", code], text=True).strip()


def test_an_environment_follows_its_lock(checkout: Path) -> None:
    environment = Environment(checkout)
    environment.prepare("run")
    assert list(environment.folder.glob("lib/python*/site-packages/__pycache__/tiny.*.pyc"))  # before the first import
    assert installed(environment) == "1.0"

    (checkout / "wheels" / "tiny-1.0-py3-none-any.whl").unlink()  # an unchanged file must not ask for it again
    environment.prepare("run")

    # A version of another length: Python takes a compiled file for that of a source of the same size and second.
    write_lock(checkout, write_wheel(checkout / "wheels", "tiny", "10.0"))
    environment.prepare("run")
    assert installed(environment) == "10.0"


def test_a_file_with_another_hash_is_refused(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_wheel(checkout / "wheels", "tiny", "1.0", {"tiny.py": b"VERSION = 'forged'"})
    environment = Environment(checkout)
    with pytest.raises(LaunchError, match="could not be installed"):
        environment.prepare("run")
    assert "Hash mismatch" in capfd.readouterr().err
    assert not list(environment.folder.glob("lib/python*/site-packages/tiny*"))


def test_an_interrupted_installation_is_made_again(checkout: Path) -> None:
    environment = Environment(checkout)
    environment.prepare("run")
    half_a_package = next(environment.folder.glob("lib/python*/site-packages")) / "half.py"
    half_a_package.touch()
    (environment.folder / "unfinished").touch()

    environment.prepare("run")

    assert not half_a_package.exists()
    assert not (environment.folder / "unfinished").exists()
    assert installed(environment) == "1.0"


def test_a_missing_network_is_named_and_breaks_nothing(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    environment = Environment(checkout)
    environment.prepare("run")
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # the discard port: nothing listens there
    monkeypatch.setenv("PIP_RETRIES", "1")

    lock = checkout / "requirements" / "run.txt"
    lock.write_text("scalpspectra-has-no-such-package==1.0 --hash=sha256:" + 64 * "0")
    with pytest.raises(LaunchError, match="check the network"):
        environment.prepare("run")
    assert "Connection refused" in capfd.readouterr().err
    assert installed(environment) == "1.0"
    assert not (environment.folder / "unfinished").exists()

    monkeypatch.delenv("PIP_FIND_LINKS")  # now there is no uv either
    shutil.rmtree(environment.folder)
    with pytest.raises(LaunchError, match="check the network"):
        environment.prepare("run")
    assert "Connection refused" in capfd.readouterr().err
    assert not (environment.folder / "unfinished").exists()


def test_torch_of_another_index_replaces_the_locked_one(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = [write_wheel(checkout / "wheels", name, "2.0") for name in ("torch", "nvidia_cublas")]
    write_lock(checkout, checkout / "wheels" / "tiny-1.0-py3-none-any.whl", *locked)
    lock = checkout / "requirements" / "run.txt"
    lock.write_text(lock.read_text().replace("nvidia_cublas", "nvidia-cublas"))
    (checkout / "requirements" / "torch.in").write_text("# for all platforms\ntorch==2.0\n")
    wheel = write_wheel(checkout / "index" / "torch", "torch", "2.0+cpu")
    (wheel.parent / "index.html").write_text(f"<a href={wheel.name!r}>{wheel.name}</a>")
    monkeypatch.setenv("SCALP_TORCH_INDEX", (checkout / "index").as_uri())

    environment = Environment(checkout)
    environment.prepare("run")

    assert installed(environment) == "1.0"
    assert installed(environment, "torch") == "2.0+cpu"
    assert not list(environment.folder.glob("lib/python*/site-packages/nvidia*"))


def test_uv_takes_over_what_pip_is_configured_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = tmp_path / "pip.conf"
    configuration.write_text(
        "[global]\nindex-url = https://mirror.example/simple\nretries = 2\n"
        "extra-index-url =\n    https://a.example/simple\n    https://b.example/simple\n"
        "[install]\nfind-links = /wheels /more\n"
    )
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configuration))
    monkeypatch.setenv("PIP_RETRIES", "7")
    settings = pip_settings(Path(sys.executable))
    variables = uv_variables(settings, {"UV_INDEX": "https://mine.example/simple", "HOME": "/root"})
    assert {name: variables[name] for name in variables if name.startswith("UV_")} == {
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_INDEX": "https://mine.example/simple",  # said to uv itself
        "UV_FIND_LINKS": "/wheels,/more",
        "UV_HTTP_RETRIES": "7",
    }
    assert uv_variables(settings, {})["UV_INDEX"] == "https://a.example/simple https://b.example/simple"


def test_pip_is_told_where_packages_come_from_and_not_where_else_they_go() -> None:
    settings = {"index-url": "https://a.example/simple", "user": "true", "target": "/nowhere", "no-index": "1"}
    given = {"PIP_TARGET": "/nowhere", "PIP_REQUIRE_VIRTUALENV": "1", "HOME": "/root"}
    assert pip_variables(settings, given) == {
        "HOME": "/root",
        "PIP_INDEX_URL": "https://a.example/simple",
        "PIP_NO_INDEX": "1",
        "PIP_CONFIG_FILE": os.devnull,
    }


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
    with pytest.raises(LaunchError, match=r"needs Python 3\.11 to 3\.14"):
        interpreter.suitable_python()


def test_a_python_without_venv_is_told_the_package_that_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "python3"
    bare.write_text('#!/bin/sh\ncase "$2" in *version_info*) echo 3 12;; *) exit 1;; esac\n')
    bare.chmod(0o755)
    monkeypatch.setattr(interpreter, "CANDIDATES", ())
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(LaunchError, match=r"apt install python3\.12-venv"):
        interpreter.suitable_python()


def test_a_python_that_is_too_new_gives_way_to_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newest = tmp_path / "python3.15"
    newest.write_text('#!/bin/sh\ncase "$2" in *version_info*) echo 3 15;; esac\n')
    newest.chmod(0o755)
    monkeypatch.setattr(interpreter, "CANDIDATES", (str(newest), sys.executable))
    here = sys.executable
    monkeypatch.setattr(sys, "executable", str(newest))
    assert interpreter.suitable_python() == here
    monkeypatch.setattr(interpreter, "CANDIDATES", ())
    with pytest.raises(LaunchError, match=r"needs Python 3\.11 to 3\.14"):
        interpreter.suitable_python()
