"""Results for the statistics, in numbers."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from backend.analyses.models import AGE_WORDS, SEX_WORDS, Age, Analysis, Human, Sex
from backend.analyses.states import Status


def humans(
    number: int, skin: str = "지성", pred: str = "경증", *, sex: str = Sex.FEMALE, age: str = Age.THIRTIES
) -> list[Human]:
    """Write `number` results of real weights whose analyses are no longer kept."""
    row = {"sex": SEX_WORDS[sex], "age": AGE_WORDS[age], "skin": skin, "pred": pred}
    return Human.objects.bulk_create([Human(**row) for _ in range(number)], batch_size=10_000)


def analyzed(rows: list[Human], finished_at: datetime, *, demo: bool = False) -> None:
    """Give each of the results an analysis that ended then."""
    now = timezone.now()
    Analysis.objects.bulk_create(
        [
            Analysis(
                status=Status.SUCCEEDED, sex=Sex.FEMALE, age=Age.THIRTIES, consented_at=now, created_at=now,
                queued_at=now, purge_at=now, finished_at=finished_at, demo=demo, human=row,
            )
            for row in rows
        ]
    )  # fmt: skip
