"""`make audit`: checks the pinned packages against PyPI's advisories, with pip-audit."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deploy.launcher.terminal import LaunchError, say

PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;#]+)", re.MULTILINE)


@dataclass(frozen=True)
class Audit:
    """One sentence per vulnerability, and how many packages could and could not be looked up."""

    findings: tuple[str, ...]
    looked_up: int
    unknown: int


def audit(root: Path, python: Path) -> None:
    """Checks the pins of all roles. Raises LaunchError that names the vulnerable packages.

    If the advisories are unavailable, it only warns: an unreachable index is not a fault of this project.
    """
    pins = read_pins(root / "requirements")
    try:
        found = run_pip_audit(python, pins)
    except ConnectionError as error:
        say(f"  WARNING: {len(pins)} packages were not audited: {error}")
        return
    if found.unknown:
        say(f"  WARNING: the index has no advisories for {found.unknown} of {len(pins)} packages.")
    if found.findings:
        raise LaunchError("Known to be vulnerable:\n" + "\n".join(f"    {line}" for line in found.findings))
    say(f"  No known vulnerability in the {found.looked_up} packages that could be looked up.")


def read_pins(folder: Path) -> list[str]:
    """Every pin of every role, once, as `name==version`."""
    texts = [file.read_text() for file in sorted(folder.glob("*.txt"))]
    return sorted({f"{name.lower()}=={version}" for text in texts for name, version in PIN.findall(text)})


def run_pip_audit(python: Path, pins: list[str]) -> Audit:
    """Runs pip-audit on these pins. Raises ConnectionError with its last line of output if it fails."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(pins) + "\n")
        file.flush()
        command = [str(python), "-m", "pip_audit", "--requirement", file.name, "--no-deps", "--disable-pip"]
        command += ["--format", "json", "--progress-spinner", "off", "--timeout", "10"]
        done = subprocess.run(command, capture_output=True, text=True)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        raise ConnectionError((done.stderr.strip().splitlines() or ["pip-audit printed nothing"])[-1]) from None
    return summarize(packages)


def summarize(packages: list[dict]) -> Audit:
    """Summarizes the `dependencies` that pip-audit reports."""
    findings = []
    for package in packages:
        for flaw in package.get("vulns", ()):
            fixed = ", ".join(flaw["fix_versions"]) or "no version yet"
            findings.append(f"{package['name']} {package['version']}: {flaw['id']}, fixed in {fixed}")
    unknown = sum("skip_reason" in package for package in packages)
    return Audit(tuple(findings), len(packages) - unknown, unknown)
