"""Heartbeats of workers, the rounds of upkeep, and counts of tries where the broker is none that counts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from backend.operations.models import Count, Round, Worker


def worker_seen(
    name: str,
    *,
    role: str,
    models_resident: int = 0,
    bundle: str = "",
    demo: bool = False,
    device: str = "",
    max_batch: int = 0,
    photo_seconds: float | None = None,
) -> None:
    """Note a heartbeat of the worker `name`; `photo_seconds` is the time it lately took a photo, if any."""
    told = {
        "role": role,
        "seen_at": Now(),
        "models_resident": models_resident,
        "bundle": bundle,
        "demo": demo,
        "device": device,
        "max_batch": max_batch,
        "photo_seconds": photo_seconds,
    }
    Worker.objects.update_or_create(name=name, defaults=told, create_defaults={**told, "started_at": Now()})


def worker_started(name: str, *, role: str) -> None:
    """Note that the worker `name` starts: it holds no model yet, and whoever had the name before is gone."""
    Worker.objects.update_or_create(
        name=name, defaults={"role": role, "started_at": Now(), "seen_at": Now(), "models_resident": 0}
    )


def worker_left(name: str) -> None:
    """Note that the worker `name` stops, so that nobody counts on it."""
    Worker.objects.filter(name=name).delete()


def workers_forget() -> int:
    """Forget workers that were not heard of for ten leases; how many these were."""
    long_ago = Now() - timedelta(seconds=10 * settings.LEASE_SECONDS)
    deleted, _by_model = Worker.objects.filter(seen_at__lt=long_ago).delete()
    return deleted


def round_note(name: str, *, seconds: float, found: Mapping[str, int]) -> None:
    """Note that a round of upkeep of this name has ended after so many seconds, and add what it found to the totals.

    Of two rounds that end at once, each is counted: the later one finds the number of rounds changed and reads again.
    """
    row, _made = Round.objects.get_or_create(name=name, defaults={"ended_at": Now(), "seconds": seconds})
    while True:
        totals = row.found | {word: row.found.get(word, 0) + number for word, number in found.items()}
        unchanged = Round.objects.filter(pk=name, rounds=row.rounds)
        if unchanged.update(ended_at=Now(), seconds=seconds, rounds=row.rounds + 1, found=totals):
            return
        row.refresh_from_db()


def workers_forget_all() -> None:
    """Forget every worker: what a backup says of them is of another time."""
    Worker.objects.all().delete()


def count_try(key: str, *, seconds: float) -> int:
    """Count one more try under `key`, which is kept for so many seconds; how many there were, this one included.

    One statement, so of any number of processes no two are told the same number.
    """
    ends_at = connection.ops.adapt_datetimefield_value(timezone.now() + timedelta(seconds=seconds))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO operations_count (key, tries, ends_at) VALUES (%s, 1, %s) "
            "ON CONFLICT (key) DO UPDATE SET tries = operations_count.tries + 1 RETURNING tries",
            [key, ends_at],
        )
        return int(cursor.fetchone()[0])


def counts_forget() -> int:
    """Forget the counts whose time is over; how many these were."""
    deleted, _by_model = Count.objects.filter(ends_at__lt=timezone.now()).delete()
    return deleted
