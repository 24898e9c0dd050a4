"""Installs the locks of `requirements/` with uv. pip, which every environment has, installs uv itself."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from deploy.launcher.process import dies_with
from deploy.launcher.terminal import LaunchError

# What pip is told by pip.conf or PIP_…, and the variable and separator by which uv is told the same.
OF_PIP = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "proxy": ("ALL_PROXY", " "),
    "retries": ("UV_HTTP_RETRIES", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
}

# What else pip may be told. Anything more, such as `--user` or `--target`, would lead its packages elsewhere.
FOR_PIP_ONLY = ("no-index", "client-cert", "cache-dir", "keyring-provider")

PIP_INSTALL = "pip install --quiet --no-input --disable-pip-version-check --require-hashes --no-deps --requirement"

# torch and the packages that only its CUDA build needs.
OF_TORCH = re.compile(r"^((?:torch|triton|nvidia-|cuda-)[a-z0-9-]*)==", re.MULTILINE)

FAILED = (
    "The packages could not be installed; the reason is above. If the disk is full, free some space; if no package"
    " index answers, check the network (behind a proxy, set HTTPS_PROXY). Then start again; finished downloads are"
    " kept."
)


def install(python: Path, lock: Path, unfinished: Path) -> None:
    """Installs a lock with the hashes in it. With `SCALP_TORCH_INDEX`, torch comes from that index instead, which has
    builds that the lock does not know.

    The file `unfinished` exists meanwhile: if it is found later, the environment may contain half a package. Raises
    LaunchError if something cannot be installed; pip or uv has printed the reason.
    """
    pip = pip_settings(python)
    commands = [[str(python), "-m", *PIP_INSTALL.split(), str(lock.parent / "uv.txt")]]
    uv = [uv_path(python), "pip", "install", "--python", str(python), "--compile-bytecode"]
    locked = [*uv, "--require-hashes", "--no-deps", "--requirements", str(lock)]
    # Hashes decide which files are acceptable, so it does not matter which index has them.
    locked += ["--index-strategy", "unsafe-best-match"]
    locked += ["--no-index"] if pip.get("no-index", "").lower() in ("1", "true", "yes", "on") else []
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as excluded:
        if index := os.environ.get("SCALP_TORCH_INDEX"):
            excluded.write("\n".join(OF_TORCH.findall(lock.read_text())))
            excluded.flush()
            commands.append([*locked, "--excludes", excluded.name])
            commands.append([*uv, "--index", index, "--requirements", str(lock.parent / "torch.in")])
        else:
            commands.append(locked)
        for command in commands:
            variables = pip_variables(pip, uv_variables(pip, os.environ))
            _run(command, variables, python.parent.parent, unfinished)


def pip_settings(python: Path) -> dict[str, str]:
    """What pip.conf and the variables `PIP_…` say, by the name of the option; variables win."""
    command = [str(python), "-m", "pip", "config", "list"]
    listed = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
    lines = [line.partition("=") for line in listed.splitlines()]
    return {
        name.removeprefix(section): ast.literal_eval(value)
        for section in ("global.", "install.", ":env:.")
        for name, _, value in lines
        if name.startswith(section)
    }


def uv_variables(pip: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` with pip's settings as variables of uv, except those that it already has."""
    variables = {
        variable: separator.join(pip[name].split()) for name, (variable, separator) in OF_PIP.items() if name in pip
    }
    return {**variables, **environ}


def pip_variables(pip: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` in which pip finds of its settings only those that say where packages come from."""
    kept = {f"PIP_{name.upper().replace('-', '_')}": pip[name] for name in (*OF_PIP, *FOR_PIP_ONLY) if name in pip}
    others = {name: value for name, value in environ.items() if not name.startswith("PIP_")}
    return {**others, **kept, "PIP_CONFIG_FILE": os.devnull}


def uv_path(python: Path) -> str:
    return str(python.parent / "uv")


def _run(command: list[str], variables: Mapping[str, str], environment: Path, unfinished: Path) -> None:
    packages = next(environment.glob("lib/python*/site-packages"))
    before = packages.stat().st_mtime_ns
    unfinished.touch()
    try:
        done = subprocess.run(command, env=dict(variables), stdin=subprocess.DEVNULL, preexec_fn=dies_with(os.getpid()))
    finally:
        # Nothing changes until everything is downloaded, so after an error or an interruption until then, the
        # environment still works.
        if packages.stat().st_mtime_ns == before:
            unfinished.unlink()
    if done.returncode:
        raise LaunchError(FAILED)
    unfinished.unlink(missing_ok=True)
