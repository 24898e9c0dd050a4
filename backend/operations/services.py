"""Heartbeats of workers, records of upkeep runs, and rate-limit counters for brokers without INCR (RabbitMQ)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from backend.operations.models import Count, Round, Worker


def record_heartbeat(
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
    """Record a heartbeat of the worker `name`; `photo_seconds` is its recent time per photo, if any."""
    values = {
        "role": role,
        "seen_at": Now(),
        "models_resident": models_resident,
        "bundle": bundle,
        "demo": demo,
        "device": device,
        "max_batch": max_batch,
        "photo_seconds": photo_seconds,
    }
    Worker.objects.update_or_create(name=name, defaults=values, create_defaults={**values, "started_at": Now()})


def register_worker(name: str, *, role: str) -> None:
    """Record that the worker `name` starts: it has no models yet, and a former worker of this name is gone."""
    Worker.objects.update_or_create(
        name=name, defaults={"role": role, "started_at": Now(), "seen_at": Now(), "models_resident": 0}
    )


def unregister_worker(name: str) -> None:
    """Remove the worker `name`, which stops, so that it does not count as available."""
    Worker.objects.filter(name=name).delete()


def delete_stale_workers() -> int:
    """Delete workers without a heartbeat for ten leases; returns how many."""
    long_ago = Now() - timedelta(seconds=10 * settings.LEASE_SECONDS)
    deleted, _by_model = Worker.objects.filter(seen_at__lt=long_ago).delete()
    return deleted


def record_run(name: str, *, seconds: float, counts: Mapping[str, int]) -> None:
    """Record that an upkeep run of this name has ended, with its duration, and add its counts to the totals.

    If two runs end at the same time, both count: the later one finds the number of runs changed and reads it again.
    """
    row, _made = Round.objects.get_or_create(name=name, defaults={"ended_at": Now(), "seconds": seconds})
    while True:
        totals = row.found | {kind: row.found.get(kind, 0) + count for kind, count in counts.items()}
        unchanged = Round.objects.filter(pk=name, rounds=row.rounds)
        if unchanged.update(ended_at=Now(), seconds=seconds, rounds=row.rounds + 1, found=totals):
            return
        row.refresh_from_db()


def delete_all_workers() -> None:
    """Delete all workers: those in a restored backup are outdated."""
    Worker.objects.all().delete()


def count_attempt(key: str, *, seconds: float) -> int:
    """Count one more attempt for `key`, which is kept for `seconds`; returns the count, including this one.

    A single statement, so no two processes get the same number.
    """
    ends_at = connection.ops.adapt_datetimefield_value(timezone.now() + timedelta(seconds=seconds))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO operations_count (key, tries, ends_at) VALUES (%s, 1, %s) "
            "ON CONFLICT (key) DO UPDATE SET tries = operations_count.tries + 1 RETURNING tries",
            [key, ends_at],
        )
        return int(cursor.fetchone()[0])


def delete_expired_counts() -> int:
    """Delete expired counts; returns how many."""
    deleted, _by_model = Count.objects.filter(ends_at__lt=timezone.now()).delete()
    return deleted
