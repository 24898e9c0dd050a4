"""The Celery application, and the one door to tasks."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from celery import Celery, signals

from backend.operations.logs import REQUEST_HEADER, request_bound
from workers.broker import channel_install

channel_install()

app = Celery("scalpspectra")
app.config_from_object("django.conf:settings", namespace="CELERY")


@signals.setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Celery sets up logging of its own only where nobody answers this signal."""


def task(queue: str) -> Callable[[Callable[..., str]], Any]:
    """Make a task of a function that takes keywords only and returns a word on what it did.

    Acknowledged late: a worker that dies leaves the message to another one. No retries and no results:
    what happened stands in the row. Its log lines bear the id of the request that sent the message, or a new one.
    """

    def register(function: Callable[..., str]) -> Any:
        @wraps(function)
        def bound(self: Any, **arguments: str) -> str:
            with request_bound(self.request.get(REQUEST_HEADER)):
                return function(**arguments)

        return app.task(
            bind=True,
            name=function.__name__,
            queue=queue,
            acks_late=True,
            reject_on_worker_lost=True,
            ignore_result=True,
            max_retries=0,
            Strategy="workers.messages:strategy",
        )(bound)

    return register
