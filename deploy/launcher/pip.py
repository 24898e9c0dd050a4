"""pip, with its many lines condensed to the few that somebody waits for."""

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
SILENCE = 20  # seconds without a word from pip after which we say that it still works


def install(python: Path, requirements: Path, scratch: Path, unfinished: Path) -> None:
    """Installs a pinned file, on one more index where `SCALP_TORCH_INDEX` names one.

    While packages are being unpacked the file `unfinished` exists: found later, it says that the
    environment may hold half a package. Raises LaunchError with a sentence where pip fails.
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
    """Compiles what was unpacked to bytecode on all cores; pip does it on one, for a minute and a half.

    What packages bring for their own tests is left out. A file that no Python compiles harms nobody who runs.
    """
    say("                compiling")
    where = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    packages = subprocess.check_output([str(python), "-c", where], text=True).strip()
    command = [str(python), "-m", "compileall", "-q", "-j", "0", "-x", r"[/\\]tests?[/\\]", packages]
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, preexec_fn=dies_with(os.getpid()))


def _condense(pip: subprocess.Popen, unfinished: Path) -> list[str]:
    """Reads pip to its end, says which long step it is at, and returns all of its lines."""
    spoken: queue.Queue = queue.Queue()

    def listen() -> None:
        for line in pip.stdout or ():
            spoken.put(line.strip())
        spoken.put(None)

    threading.Thread(target=listen, daemon=True).start()
    began = time.monotonic()
    lines: list[str] = []
    doing = "resolving"
    while True:
        try:
            line = spoken.get(timeout=SILENCE)
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
    """The long step that a line of pip begins: a big download, unpacking, waiting; else empty."""
    if match := re.match(r"(?:Downloading|Using cached) (\S+?)-\d\S* \((\d+)[.\d]* (MB|GB)\)", line):
        name, size, unit = match.groups()
        name = name.rsplit("/", 1)[-1]
        return f"fetching {name}, {size} {unit}" if unit == "GB" or int(size) >= 40 else ""
    if line.startswith(UNPACKING):
        return f"unpacking {line.count(',') + 1} packages"
    return "waiting for the network" if line.startswith("WARNING: Retrying") else ""


def _reason(lines: list[str], requirements: Path) -> str:
    text = "\n".join(lines)
    if "No space left on device" in text:
        free = shutil.disk_usage(requirements).free / 1e9
        return f"The disk is full: {free:.1f} GB are left. Make room and start again."
    if NETWORK.search(text):
        return (
            "The packages could not be fetched: no package index answers. Check the network (behind a proxy,"
            " set HTTPS_PROXY) and start again; what was fetched is kept."
        )
    return "pip could not install the requirements:\n" + "\n".join(f"    {line}" for line in lines[-12:])
