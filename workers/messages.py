"""What a worker does with a message that is none of ours: it drops it, with a line in its log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.exceptions import InvalidTaskError
from celery.worker.strategy import default


def strategy(task: Any, app: Celery, consumer: Any, **options: Any) -> Callable[..., Any]:
    """Celery's way to take a message, for those that are [arguments, keywords, more].

    Celery 5.7.0 takes for granted what a message holds. Where it holds something else, an error that nobody handles
    ends the worker, models and all; and the broker hands the message to the next one.
    """
    take = default(task, app, consumer, **options)

    def take_if_ours(message: Any, *rest: Any, **more: Any) -> Any:
        match message.payload:
            case [list(), dict(), dict() | None] if isinstance(message.headers.get("id"), str):
                pass
            case _:
                raise InvalidTaskError("a message of ours is [arguments, keywords, more]")
        try:
            return take(message, *rest, **more)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InvalidTaskError(repr(error)) from error

    return take_if_ours
