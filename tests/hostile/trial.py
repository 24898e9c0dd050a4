"""Sends cases to the running service and holds it to what it promised: its answers, its time, its memory, its files."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psutil
import requests

from backend.analyses.photos import PhotoRefused
from ml.bench.host import peak_memory
from tests.api.contract import hold_to_contract
from tests.hostile.case import ANALYSES, Case, Upload
from tests.hostile.corpus import families
from tests.support.clean_photos import hold_clean
from tests.support.stack import Stack

#: No upload may take longer, whatever it is: seconds, two at once on two cores.
SECONDS: Final = 10.0
#: Peak resident set of a web process, in bytes: two of the largest pictures at once (`backend/analyses/photos.py`).
PEAK: Final = 2**31
#: By how much the resident set of a web process may be larger after the whole corpus than before it, in bytes.
GROWTH: Final = 96 * 2**20

CODES: Final = {
    400: {"malformed"},
    406: {"not_acceptable"},
    411: {"length_required"},
    413: {"photo_too_large", "photo_too_many_pixels"},
    415: {"unsupported_media_type", "photo_type_unsupported"},
    422: {"invalid", "idempotency_key_invalid", "idempotency_key_reused"}
    | {code for code, (status, _) in PhotoRefused.REFUSALS.items() if status == 422},
}


@dataclass(frozen=True)
class Answer:
    """What became of a case. `fault` says what is wrong with that, if anything is."""

    case: Case
    status: int
    seconds: float
    fault: str = ""
    analysis: UUID | None = None


@dataclass
class Family:
    """The cases of one family: how often which status came, the longest wait, the highest peak of a web process."""

    name: str
    answers: list[Answer]
    peak: int

    @property
    def statuses(self) -> dict[int, int]:
        return dict(sorted(Counter(answer.status for answer in self.answers).items()))

    @property
    def worst(self) -> Answer:
        return max(self.answers, key=lambda answer: answer.seconds)


@dataclass
class Report:
    """Memory in bytes, by web process."""

    families: list[Family] = field(default_factory=list)
    before: dict[int, int] = field(default_factory=dict)
    after: dict[int, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def answers(self) -> list[Answer]:
        return [answer for family in self.families for answer in family.answers]

    @property
    def growth(self) -> int:
        return max(self.after[process] - before for process, before in self.before.items())


class Trial:
    """The web server of `stack`, with a folder of its own for temporary files, as `front` starts it."""

    def __init__(self, stack: Stack, *, senders: int = 2) -> None:
        self.stack = stack
        self.senders = senders
        self.photos = stack.folder / "var" / "photos"
        self.temporary = temporary(stack.folder)

    def hold(self, cases: Iterable[Case]) -> Report:
        """Send the cases, family by family, several at once."""
        report = Report(before=self.resident())
        untouched = self.temporary.stat().st_mtime_ns
        for name, of_family in families(cases).items():
            # Made first: the time of the answers is the server's alone.
            uploads = [case.make() for case in of_family]
            for process in self.processes():
                Path(f"/proc/{process}/clear_refs").write_text("5")  # Resets the peak: proc(5).
            with ThreadPoolExecutor(self.senders) as senders:
                answers = list(senders.map(self.answer, of_family, uploads))
            report.families.append(Family(name, answers, self.peak()))
        report.after = self.resident()
        report.faults = [f"{answer.case}: {answer.fault}" for answer in report.answers if answer.fault]
        report.faults += self._memory_faults(report)
        report.faults += self._left(report)
        if self.temporary.stat().st_mtime_ns != untouched:  # Also of a file that is gone again.
            report.faults.append("a temporary file was made")
        return report

    def answer(self, case: Case, upload: Upload) -> Answer:
        began = time.monotonic()
        try:
            answer = send(self.stack, upload)
        except requests.RequestException as error:
            return Answer(case, 0, time.monotonic() - began, f"no answer: {error!r}")
        seconds = time.monotonic() - began
        fault = ""
        analysis = UUID(answer.json()["id"]) if answer.status_code == 202 else None
        try:
            hold_to_contract("POST", ANALYSES, answer)
            assert answer.status_code in case.statuses, f"{answer.status_code} {answer.text[:300]}"
            assert seconds <= SECONDS, f"took {seconds:.1f} s"
            if analysis:
                hold_clean((self.photos / f"{analysis.hex}.jpg").read_bytes())
            else:
                assert answer.json()["code"] in CODES[answer.status_code], answer.json()["code"]
        except Exception as error:
            fault = f"{answer.status_code}, {type(error).__name__}: {error}"
        return Answer(case, answer.status_code, seconds, fault, analysis)

    def processes(self) -> list[int]:
        return sorted(child.pid for child in psutil.Process(self.stack.processes["web"].pid).children())

    def resident(self) -> dict[int, int]:
        return {process: psutil.Process(process).memory_info().rss for process in self.processes()}

    def peak(self) -> int:
        return max(peak_memory(process) or 0 for process in self.processes())

    def _memory_faults(self, report: Report) -> list[str]:
        if report.before.keys() != report.after.keys():
            return ["a web process died and another one took its place"]
        faults = [
            f"{family.name}: a peak of {family.peak >> 20} MB" for family in report.families if family.peak > PEAK
        ]
        if report.growth > GROWTH:
            faults.append(f"a web process grew by {report.growth >> 20} MB")
        return faults

    def _left(self, report: Report) -> list[str]:
        """What is in storage and of no analysis, or the other way round, and what is left once all are erased."""
        accepted = {answer.analysis for answer in report.answers if answer.analysis}
        stored = {path.name for path in self.photos.iterdir()}
        faults = [f"{name} is in storage and of no analysis" for name in stored - {f"{id.hex}.jpg" for id in accepted}]
        for analysis in accepted:
            erased = requests.delete(f"{self.stack.url}{ANALYSES}{analysis}/", timeout=30)
            assert erased.status_code == 204, erased.text
        faults += [f"{path.name} is left in storage after all was erased" for path in self.photos.iterdir()]
        faults += [f"{path} is left" for path in self.temporary.iterdir()]
        return faults


def front(folder: Path, **settings: str) -> Stack:
    """A web server and a broker, not started yet, with a line that takes all that is accepted: no worker is there."""
    temporary(folder).mkdir()
    return Stack(folder, folder, TMPDIR=str(temporary(folder)), SCALP_QUEUE_LIMIT="1000000", **settings)


def temporary(folder: Path) -> Path:
    return folder / "tmp"


def send(stack: Stack, upload: Upload) -> requests.Response:
    headers: dict[str, Any] = {**upload.headers}
    if upload.content_type is not None:
        headers["Content-Type"] = upload.content_type.encode("latin-1")
    data = iter([upload.body]) if upload.chunked else upload.body
    return requests.post(f"{stack.url}{ANALYSES}", data=data, headers=headers, timeout=60, allow_redirects=False)


def table(report: Report) -> str:
    """One line a family."""
    lines = [f"{'family':<26}{'cases':>6}  {'worst s':>7} {'peak MB':>8}  statuses"]
    for family in report.families:
        told = ", ".join(f"{status} × {many}" for status, many in family.statuses.items())
        lines.append(
            f"{family.name:<26}{len(family.answers):>6}  {family.worst.seconds:>7.2f} {family.peak >> 20:>8}  {told}"
        )
    before, after = (max(memory.values()) >> 20 for memory in (report.before, report.after))
    lines.append(
        f"{len(report.answers)} cases; the larger web process had {before} MB before and {after} MB after them."
    )
    return "\n".join(lines)


def figures(report: Report) -> dict[str, Any]:
    """The same for a program; memory in bytes, time in seconds."""
    return {
        "cases": len(report.answers),
        "families": {
            family.name: {
                "cases": len(family.answers),
                "statuses": family.statuses,
                "worst_seconds": round(family.worst.seconds, 3),
                "worst_case": family.worst.case.name,
                "peak_memory": family.peak,
            }
            for family in report.families
        },
        "memory_before": list(report.before.values()),
        "memory_after": list(report.after.values()),
        "faults": report.faults,
    }


def slowest(report: Report, many: int = 5) -> Sequence[Answer]:
    return sorted(report.answers, key=lambda answer: -answer.seconds)[:many]
