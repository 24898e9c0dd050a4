"""What is true in the end, read from the tables, the storage and the logs and not from the product's own code."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.chaos.supervised_stack import SupervisedStack
from tests.support.stack import ENDED

SYMPTOMS = 6


@dataclass(frozen=True)
class StoredAnalysis:
    """An analysis as the database has it."""

    status: str
    code: str
    attempt: int
    tries: int
    human: int | None
    photo: str
    bundle: str


@dataclass(frozen=True)
class Ledger:
    """All that was ever accepted by a stack, and what is left of it."""

    rows: dict[UUID, StoredAnalysis]
    findings: dict[UUID, tuple[int, int]]  #: how many an analysis has, and of how many symptoms
    humans: frozenset[int]
    files: frozenset[str]
    claims: Counter[tuple[UUID, int]]  #: how often an attempt began, by the workers' logs
    finishes: Counter[tuple[UUID, int]]  #: how often an attempt was written as a success, by the workers' logs

    @classmethod
    def read(cls, stack: SupervisedStack) -> Ledger:
        rows = stack.query(
            "SELECT id, status, code, attempt, attempt - tries_from, human_id, photo, bundle FROM analyses_analysis"
        )
        findings = stack.query(
            "SELECT analysis_id, count(*), count(DISTINCT symptom) FROM analyses_finding GROUP BY analysis_id"
        )
        logs = list(stack.folder.glob("model*.log"))
        return cls(
            rows={UUID(str(key)): StoredAnalysis(*values) for key, *values in rows},
            findings={UUID(str(key)): (number, symptoms) for key, number, symptoms in findings},
            humans=frozenset(key for (key,) in stack.query("SELECT id FROM human")),
            files=frozenset(path.name for path in (stack.var / "photos").iterdir()),
            claims=attempts_in(logs, "analysis_claimed"),
            finishes=attempts_in(logs, "analysis_succeeded"),
        )

    def of(self, accepted: Collection[UUID]) -> list[StoredAnalysis]:
        return [self.rows[key] for key in accepted if key in self.rows]

    def lost(self, accepted: Collection[UUID]) -> list[UUID]:
        """Those of these that have no row, have not ended, or succeeded without one `Human` and six findings."""
        return [key for key in accepted if not self._whole(key)]

    def _whole(self, key: UUID) -> bool:
        row = self.rows.get(key)
        if row is None or row.status not in ENDED:
            return False
        if row.status != "succeeded":
            return row.human is None and key not in self.findings
        return row.human in self.humans and self.findings.get(key) == (SYMPTOMS, SYMPTOMS)

    def twice(self, accepted: Collection[UUID]) -> list[UUID]:
        """Those of these of which one attempt was begun twice, or a success was written twice."""
        begun_twice = {key for (key, _attempt), times in self.claims.items() if times > 1}
        finished = Counter(key for key, _attempt in self.finishes.elements())
        finished_twice = {key for key, times in finished.items() if times > 1}
        return sorted((begun_twice | finished_twice) & set(accepted))

    def strays(self) -> list[str]:
        """What belongs to nothing: rows of statistics, files without a row, rows without their file."""
        named = [row.human for row in self.rows.values() if row.human is not None]
        found = [f"human {key} of no analysis" for key in self.humans - set(named)]
        found += [f"human {key} of {times} analyses" for key, times in Counter(named).items() if times > 1]
        photos = {row.photo for row in self.rows.values() if row.photo}
        found += [f"file {name} of no analysis" for name in self.files - photos]
        found += [f"no file {name} for its analysis" for name in photos - self.files]
        found += [f"findings of no analysis {key}" for key in self.findings.keys() - self.rows.keys()]
        return found


def attempts_in(logs: Iterable[Path], name: str) -> Counter[tuple[UUID, int]]:
    """How often the logs tell an event of this name of each attempt."""
    events = (event for log in logs for event in _events(log, name))
    return Counter((UUID(event["analysis"]), event["attempt"]) for event in events)


def _events(log: Path, name: str) -> Iterator[dict[str, Any]]:
    for line in log.read_text(errors="replace").splitlines():
        if f'"{name}"' in line:
            try:
                event = json.loads(line)
            except json.JSONDecodeError:
                continue  # Cut off by a death, or by a full disk.
            if event["event"] == name:
                yield event
