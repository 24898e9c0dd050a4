"""The cost of counting results and of answering about them, by their number.

    python -m tests.bench.statistics_rows [ROWS]

A database of its own, on PostgreSQL with `SCALP_TEST_DATABASE=postgresql`; it is answered inside the process,
without a web server around it.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
import uuid
from datetime import timedelta

import tests.support.environment  # isort: skip - the settings read what it sets

TIMES = 50
CHUNK = 20_000


def fill(rows: int) -> str:
    """Write `rows` results of two years, each with its analysis; returns the id of one of them."""
    from django.utils import timezone

    from backend.analyses.models import AGE_WORDS, SEX_WORDS, Age, Analysis, Finding, Human, Sex
    from backend.analyses.states import Status
    from ml.labels import GRADES, SCALP_TYPES, SYMPTOMS

    now, rng = timezone.now(), random.Random(7)
    for begin in range(0, rows, CHUNK):
        size = min(CHUNK, rows - begin)
        asked = [(rng.choice(Sex.values), rng.choice(Age.values)) for _ in range(size)]
        humans = Human.objects.bulk_create(
            [
                Human(
                    sex=SEX_WORDS[sex], age=AGE_WORDS[age],
                    skin=rng.choice(SCALP_TYPES).korean, pred=rng.choice(GRADES).korean,
                )
                for sex, age in asked
            ]
        )  # fmt: skip
        Analysis.objects.bulk_create(
            [
                Analysis(
                    id=uuid.UUID(int=rng.getrandbits(128)), status=Status.SUCCEEDED, sex=sex, age=age,
                    consented_at=now, created_at=now, queued_at=now, purge_at=now, human=human, bundle="bench@1",
                    finished_at=now - timedelta(days=rng.uniform(0, 730)),
                )
                for (sex, age), human in zip(asked, humans, strict=True)
            ]
        )  # fmt: skip
    one = Analysis.objects.order_by("-finished_at").first()
    assert one is not None
    quarter = {f"probability_{grade}": 0.25 for grade in range(4)}
    for symptom in SYMPTOMS:
        Finding.objects.create(analysis=one, symptom=symptom.key, grade=1, confidence=0.25, **quarter)
    return str(one.pk)


def main() -> None:
    import django
    from django.conf import settings

    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    settings.ALLOWED_HOSTS = ["testserver"]
    django.setup()

    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import setup_databases, teardown_databases

    from backend.statistics.models import PublishedCount, Tally
    from backend.statistics.services.publishing import statistics_publish

    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(tests.support.environment.SCRATCH / "statistics.sqlite3")
    before = setup_databases(verbosity=0, interactive=False)
    try:
        one = fill(rows)
        begun = time.perf_counter()
        assert statistics_publish(now=True) == rows
        counting = time.perf_counter() - begun

        anybody, staff = Client(), Client()
        staff.force_login(get_user_model().objects.create_superuser("bench", password="a long word for a bench"))
        asked = {
            "API, one group": (anybody, "/api/v1/statistics/?sex=female&age=30s"),
            "API, one's own place": (anybody, f"/api/v1/analyses/{one}/statistics/"),
            "page, one group": (anybody, "/statistics/?sex=female&age=30s"),
            "page, one's own place": (anybody, f"/analyses/{one}/statistics/"),
            "admin, all": (staff, "/admin/statistics/tally/"),
            "admin, one sex and type": (staff, "/admin/statistics/tally/?sex__exact=female&skin__exact=oily"),
        }
        print(f"{connection.vendor}: {rows:,} results, {Tally.objects.count():,} tallies,", end=" ")
        print(f"{PublishedCount.objects.count()} published counts; counting took {counting:.1f} s")
        print("| asked for | median, ms | 95 %, ms |\n|---|---|---|")
        for name, (client, path) in asked.items():
            took = []
            for _ in range(TIMES):
                begun = time.perf_counter()
                assert client.get(path).status_code == 200, path
                took.append(1000 * (time.perf_counter() - begun))
            print(f"| {name} | {statistics.median(took):.1f} | {sorted(took)[round(0.95 * TIMES) - 1]:.1f} |")
    finally:
        teardown_databases(before, verbosity=0)


if __name__ == "__main__":
    main()
