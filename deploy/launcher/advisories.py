"""`make audit`: whether a pinned package is known to be vulnerable, as the advisories on PyPI tell (pip-audit)."""

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
    """What was learnt: sentences on vulnerable packages, and how many packages were looked up and how many not."""

    findings: tuple[str, ...]
    looked_up: int
    unknown: int


def audit(root: Path, python: Path) -> None:
    """Say what is known of the pins of all roles. Raises LaunchError that names what is vulnerable.

    Where the advisories can't be had, it says so and goes on: an index that is away is no fault of ours.
    """
    pins = pinned(root / "requirements")
    try:
        found = asked(python, pins)
    except ConnectionError as error:
        say(f"  WARNING: {len(pins)} packages were not audited: {error}")
        return
    if found.unknown:
        say(f"  WARNING: the index has no advisories for {found.unknown} of {len(pins)} packages.")
    if found.findings:
        raise LaunchError("Known to be vulnerable:\n" + "\n".join(f"    {line}" for line in found.findings))
    say(f"  Of {found.looked_up} packages that could be looked up none is known to be vulnerable.")


def pinned(folder: Path) -> list[str]:
    """Every pin of every role, once, as `name==version`."""
    texts = [file.read_text() for file in sorted(folder.glob("*.txt"))]
    return sorted({f"{name.lower()}=={version}" for text in texts for name, version in PIN.findall(text)})


def asked(python: Path, pins: list[str]) -> Audit:
    """What pip-audit says of these pins. Raises ConnectionError with its last word where it can't tell."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(pins) + "\n")
        file.flush()
        command = [str(python), "-m", "pip_audit", "--requirement", file.name, "--no-deps", "--disable-pip"]
        command += ["--format", "json", "--progress-spinner", "off", "--timeout", "10"]
        done = subprocess.run(command, capture_output=True, text=True)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        raise ConnectionError((done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]) from None
    return learnt(packages)


def learnt(packages: list[dict]) -> Audit:
    """From what pip-audit tells of each package."""
    findings = []
    for package in packages:
        for flaw in package.get("vulns", ()):
            mended = ", ".join(flaw["fix_versions"]) or "no version yet"
            findings.append(f"{package['name']} {package['version']}: {flaw['id']}, mended in {mended}")
    unknown = sum("skip_reason" in package for package in packages)
    return Audit(tuple(findings), len(packages) - unknown, unknown)
