"""The Celery application and the decorator for tasks."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from celery import Celery, signals

from backend.operations.logs import REQUEST_HEADER, bind_request_id
from workers.celery_patches import patch_redis_channel

patch_redis_channel()

app = Celery("scalpspectra")
app.config_from_object("django.conf:settings", namespace="CELERY")


@signals.setup_logging.connect
def keep_own_logging(**_: Any) -> None:
    """Celery only sets up its own logging if no receiver is connected to this signal."""


@signals.worker_init.connect
def restrict_remote_control(**_: Any) -> None:
    # Imported here, as only workers need it: it brings most of Celery's worker along.
    from workers.remote_control import limit_remote_control

    limit_remote_control()


def task(queue: str, name: str | None = None) -> Callable[[Callable[..., str]], Any]:
    """Make a task of a function that takes keyword arguments only and returns its outcome.

    Acknowledged late: if a worker dies, another one receives the message. No retries and no results: the outcome is in
    the row. Log lines carry the id of the request that sent the message, or a new one.
    """

    def register(function: Callable[..., str]) -> Any:
        @wraps(function)
        def bound(self: Any, **arguments: str) -> str:
            with bind_request_id(self.request.get(REQUEST_HEADER)):
                return function(**arguments)

        return app.task(
            bind=True,
            name=name or function.__name__,
            queue=queue,
            acks_late=True,
            reject_on_worker_lost=True,
            ignore_result=True,
            max_retries=0,
            Strategy="workers.celery_patches:drop_malformed",
        )(bound)

    return register
