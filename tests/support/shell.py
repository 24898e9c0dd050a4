"""A Python with the service's models that stays: a new process for each question to the rows takes two seconds."""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from threading import Lock
from typing import Any

#: It must import nothing of the tests: their environment is another one than the service's.
COMMAND = [sys.executable, "-m", "tests.support.shell"]
PRELUDE = "from backend.analyses.models import *; from backend.operations.models import *"


class Shell:
    """Asks a process that was started by `COMMAND` in the environment of a service, with pipes to it and from it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._one_at_a_time = Lock()

    def value(self, expression: str) -> Any:
        """The value of a Python expression over the models, as JSON has it."""
        return self._ask("value", expression)

    def run(self, code: str) -> None:
        """Run Python statements."""
        self._ask("run", code)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def _ask(self, how: str, code: str) -> Any:
        asked, answers = self._process.stdin, self._process.stdout
        assert asked
        assert answers
        with self._one_at_a_time:
            asked.write(json.dumps([how, code]).encode() + b"\n")
            asked.flush()
            answer = json.loads(answers.readline() or '{"error": "the shell has died"}')
        assert "error" not in answer, answer["error"]
        return answer["value"]


def _serve() -> None:
    import django

    django.setup()
    from django.db import connections

    names: dict[str, Any] = {}
    exec(PRELUDE, names)
    answers, sys.stdout = sys.stdout, sys.stderr  # What is printed must not look like an answer.
    for line in sys.stdin:
        how, code = json.loads(line)
        try:
            told = {"value": eval(code, names) if how == "value" else exec(code, names)}
            answer = json.dumps(told)
        except Exception:
            answer = json.dumps({"error": traceback.format_exc()})
        connections.close_all()  # The database may be restarted or exchanged until the next question.
        print(answer, file=answers, flush=True)


if __name__ == "__main__":
    _serve()
