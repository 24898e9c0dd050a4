"""Runs pip and condenses its output to a few lines of progress."""

from __future__ import annotations

import os
import queue
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path

from deploy.launcher.process import dies_with
from deploy.launcher.terminal import LaunchError, say

NETWORK = re.compile(
    r"NewConnectionError|NameResolutionError|Temporary failure in name resolution|Name or service not known"
    r"|Network is unreachable|Connection refused|ConnectTimeout|ReadTimeout|ProxyError|Max retries exceeded"
)
UNPACKING = "Installing collected packages"
SILENCE = 20  # seconds without output from pip after which we print that it is still running


def install(python: Path, requirements: Path, scratch: Path, unfinished: Path) -> None:
    """Installs a pinned file, with `SCALP_TORCH_INDEX` as an extra index if it is set.

    The file `unfinished` exists while packages are being unpacked: if it is found later, the environment may contain
    half a package. Raises LaunchError with the reason if pip fails.
    """
    command = [str(python), "-m", "pip", "install", "--progress-bar", "off", "--no-input", "--no-compile"]
    command += ["--disable-pip-version-check", "--requirement", str(requirements)]
    if index := os.environ.get("SCALP_TORCH_INDEX"):
        command += ["--extra-index-url", index]
    pip = subprocess.Popen(
        command,
        cwd=requirements.parent,
        env={**os.environ, "TMPDIR": str(scratch)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=dies_with(os.getpid()),
    )
    try:
        lines = _condense(pip, unfinished)
    except BaseException:
        pip.terminate()
        pip.wait()
        raise
    if pip.wait():
        raise LaunchError(_reason(lines, requirements))
    unfinished.unlink(missing_ok=True)
    _compile(python)


def _compile(python: Path) -> None:
    """Compiles the packages to bytecode on all cores; pip would take a minute and a half on one.

    Skips the packages' own tests. Errors are ignored: a file that cannot be compiled is never imported.
    """
    say("                compiling")
    where = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    packages = subprocess.check_output([str(python), "-c", where], text=True).strip()
    command = [str(python), "-m", "compileall", "-q", "-j", "0", "-x", r"[/\\]tests?[/\\]", packages]
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, preexec_fn=dies_with(os.getpid()))


def _condense(pip: subprocess.Popen, unfinished: Path) -> list[str]:
    """Reads the output of pip to its end, prints each long step, and returns all lines."""
    output: queue.Queue = queue.Queue()

    def listen() -> None:
        for line in pip.stdout or ():
            output.put(line.strip())
        output.put(None)

    threading.Thread(target=listen, daemon=True).start()
    began = time.monotonic()
    lines: list[str] = []
    doing = "resolving"
    while True:
        try:
            line = output.get(timeout=SILENCE)
        except queue.Empty:
            say(f"  {time.monotonic() - began:>8.0f} s    still {doing}")
            continue
        if line is None:
            return lines
        lines.append(line)
        if line.startswith(UNPACKING):
            unfinished.touch()
        if step := _step(line):
            doing = step
            say(f"  {time.monotonic() - began:>8.0f} s    {doing}")


def _step(line: str) -> str:
    """The long step that starts with this line of pip: a big download, unpacking, waiting; else empty."""
    if match := re.match(r"(?:Downloading|Using cached) (\S+?)-\d\S* \((\d+)[.\d]* (MB|GB)\)", line):
        name, size, unit = match.groups()
        name = name.rsplit("/", 1)[-1]
        return f"downloading {name}, {size} {unit}" if unit == "GB" or int(size) >= 40 else ""
    if line.startswith(UNPACKING):
        return f"unpacking {line.count(',') + 1} packages"
    return "waiting for the network" if line.startswith("WARNING: Retrying") else ""


def _reason(lines: list[str], requirements: Path) -> str:
    text = "\n".join(lines)
    if "No space left on device" in text:
        free = shutil.disk_usage(requirements).free / 1e9
        return f"The disk is full: {free:.1f} GB left. Free some space and start again."
    if NETWORK.search(text):
        return (
            "The packages could not be downloaded: no package index answers. Check the network (behind a proxy,"
            " set HTTPS_PROXY) and start again; finished downloads are kept."
        )
    return "pip could not install the requirements:\n" + "\n".join(f"    {line}" for line in lines[-12:])
