"""How the bot does on the held-out questions, as a table; in JSON with what went wrong in var/questions.json.

python -m tests.questions
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import tests.support.environment

if TYPE_CHECKING:
    from tests.questions.heldout import Trial


def share(trials: Sequence[Trial], holds: Callable[[Trial], bool]) -> str:
    return f"{sum(map(holds, trials)) / len(trials):.2f} of {len(trials)}" if trials else "–"


def table(trials: Sequence[Trial]) -> str:
    """One line for each kind of question, by language."""
    lines = ["| questions | first | among three | refused | red flag | median, ms |", "|---|---|---|---|---|---|"]
    kinds = dict.fromkeys(trial.asked.kind for trial in trials)
    groups = [(kind, [trial for trial in trials if trial.asked.kind == kind]) for kind in kinds]
    answerable = [trial for trial in trials if trial.asked.answerable]
    groups += [(f"answerable, {language}", [t for t in answerable if t.asked.language == language])
               for language in ("ko", "en")]  # fmt: skip
    for name, some in [*groups, ("answerable", answerable)]:
        median = 1000 * statistics.median(trial.seconds for trial in some)
        found = (
            [share(some, lambda t: t.first), share(some, lambda t: t.among_three)]
            if some[0].asked.answerable
            else ["–"] * 2
        )
        lines.append(
            f"| {name} | {' | '.join(found)} | {share(some, lambda t: t.refused)} | {share(some, lambda t: t.flagged)} "
            f"| {median:.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    import django
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    django.setup()
    from backend.questions.selectors import answering
    from backend.questions.services.loading import entries_load
    from tests.questions.heldout import trials

    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(tests.support.environment.SCRATCH / "questions.sqlite3")
    before = setup_databases(verbosity=0, interactive=False)
    try:
        begun = time.perf_counter()
        print(f"{entries_load()}; {time.perf_counter() - begun:.0f} s")
        begun = time.perf_counter()
        answering.question_answer("머리를 매일 감아도 되나요?", "ko")
        print(f"the first answer, with all that is loaded for it, took {time.perf_counter() - begun:.1f} s")
        done = list(trials())
    finally:
        teardown_databases(before, verbosity=0)
    print(table(done))
    report = [
        {"text": t.asked.text, "kind": t.asked.kind, "expected": t.asked.expect, "told": t.told.kind,
         "shown": t.shown[:3], "nearest": t.told.nearest, "flag": t.told.flag, "seconds": round(t.seconds, 4)}
        for t in done
    ]  # fmt: skip
    path = tests.support.environment.ROOT / "var" / "questions.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1), "utf-8")
    print(f"each question is in {path.relative_to(tests.support.environment.ROOT)}")


if __name__ == "__main__":
    main()
