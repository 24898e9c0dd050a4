"""The cost of a claim, a poll, a position in the queue and all metrics, by the number of rows that wait.

One process per database: it fills the queue, and then times a round of each for every line that it reads, so that
a program that drives two of them can alternate between a short and a long queue.

    python -m tests.bench.service_rows ROWS
"""

from __future__ import annotations

import io
import json
import random
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from datetime import timedelta

import django

TIMES = 200  #: of each in a round, but for
SCRAPES = 10


def fill(rows: int) -> list[uuid.UUID]:
    """Queue `rows` analyses, a tenth of a second apart, with ids in the order of the queue."""
    from django.db import connection
    from django.utils import timezone

    from backend.analyses.models import Analysis

    now = timezone.now()
    ids = [uuid.uuid4() for _ in range(rows)]
    Analysis.objects.bulk_create(
        (
            Analysis(
                id=key,
                photo=f"{key.hex}.jpg",
                sex="female",
                age="30s",
                consented_at=now,
                fingerprint="",
                created_at=now,
                queued_at=now - timedelta(seconds=(rows - place) / 10),
                purge_at=now + timedelta(days=1),
            )
            for place, key in enumerate(ids)
        ),
        batch_size=500,
    )
    with connection.cursor() as cursor:
        # As PostgreSQL's autovacuum does within a minute of that many writes, and users of SQLite from time to time.
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    return ids


def worker_there() -> None:
    """A worker that counts as there for as long as this takes, so that polls have a time left to tell."""
    from django.utils import timezone

    from backend.operations.models import Worker
    from ml.labels import MODEL_KEYS

    later = timezone.now() + timedelta(days=1)
    Worker.objects.create(
        name="model@bench", role="model", started_at=later, seen_at=later, models_resident=len(MODEL_KEYS),
        photo_seconds=1.0,
    )  # fmt: skip


def round_of(ids: list[uuid.UUID], rng: random.Random) -> dict[str, float]:
    """Median seconds of each, at places all over the line."""
    from django.db import connection

    from backend.analyses.models import Analysis
    from backend.analyses.selectors.queue import queue_outlook
    from backend.analyses.selectors.status import analysis_status
    from backend.analyses.services.attempt import analysis_claim
    from backend.analyses.states import Status
    from backend.config.wsgi import application
    from backend.operations.collectors import exposition

    def claim(key: uuid.UUID) -> None:
        assert analysis_claim(key, worker="model@bench") is not None

    def position(key: uuid.UUID) -> None:
        assert analysis_status(key).position

    def poll(key: uuid.UUID) -> None:
        answer = application(_environ(f"/api/v1/analyses/{key}/"), lambda *_: None)
        assert b'"queued"' in b"".join(answer)

    def queue(_key: uuid.UUID) -> None:
        assert queue_outlook().accepting

    def scrape(_key: uuid.UUID) -> None:
        assert b"scalp_queue" in exposition()

    steps: dict[str, Callable[[uuid.UUID], None]] = {
        "claim": claim, "poll": poll, "position": position, "queue": queue, "scrape": scrape,
    }  # fmt: skip
    told = {}
    for name, step in steps.items():
        seconds = []
        for key in rng.choices(ids, k=SCRAPES if name == "scrape" else TIMES):
            connection.ensure_connection()
            begun = time.perf_counter()
            step(key)
            seconds.append(time.perf_counter() - begun)
            if name == "claim":
                Analysis.objects.filter(pk=key).update(status=Status.QUEUED, lease_until=None)
        told[name] = statistics.median(seconds)
    return told


def _environ(path: str) -> dict[str, object]:
    return {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "", "SCRIPT_NAME": "",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost",
        "HTTP_ACCEPT_LANGUAGE": "ko-KR,ko;q=0.9,en;q=0.8", "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr, "wsgi.url_scheme": "http", "wsgi.version": (1, 0),
        "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False,
    }  # fmt: skip


def main() -> None:
    django.setup()
    ids = fill(int(sys.argv[1]))
    worker_there()
    rng = random.Random(0)
    print("filled", flush=True)
    for _line in sys.stdin:
        print(json.dumps(round_of(ids, rng)), flush=True)


if __name__ == "__main__":
    main()
