"""schemathesis over the API that the running service describes: forms and headers as its schema has them and as it has
them not, one by one and in sequence."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.environment import ROOT
from tests.support.stack import Stack

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


@dataclass(frozen=True)
class Fuzzed:
    """`fine`: it found nothing. `said`: what it printed. `tried`: test cases that it made."""

    fine: bool
    said: str

    @property
    def tried(self) -> int:
        found = re.search(r"(\d+) generated", self.said)
        return int(found[1]) if found else 0


def fuzz_api(stack: Stack, *, examples: int, seed: int, phases: str = "examples,coverage,fuzzing,stateful") -> Fuzzed:
    """At most `examples` of each operation and phase."""
    program = Path(sys.executable).with_name("schemathesis")
    command = [
        str(program),
        "--config-file",
        str(CONFIGURATION),
        "--no-color",
        "run",
        f"{stack.url}/api/schema/?format=json",
    ]
    command += ["--url", stack.url, "--phases", phases, "--max-examples", str(examples), "--seed", str(seed)]
    environment = {**stack.environment, "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.hostile.photographs"}
    done = subprocess.run(command, cwd=stack.folder, env=environment, capture_output=True, text=True)
    return Fuzzed(done.returncode == 0, done.stdout + done.stderr)
