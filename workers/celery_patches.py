"""Patches for bugs in Celery and kombu that end a worker, models and all. Each says when it can be removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.exceptions import InvalidTaskError
from celery.worker.strategy import default
from kombu.transport import redis as transport
from redis.exceptions import ConnectionError as RedisConnectionError


class Channel(transport.Channel):
    """A Redis channel that raises a connection error once its connection is closed.

    Bug: after the broker was lost, running tasks acknowledge their messages through the old channel, and closing it
    tries to restore unacknowledged ones. `_create_client` then raises AttributeError, as `connection.client` is None,
    and Celery, which handles connection errors only, exits. Nothing is lost with the error: the broker redelivers the
    messages after the visibility timeout, the reaper resends before that, and a message for a claimed row is dropped.

    Affected: kombu 5.7.0. Upstream: no issue known. Remove when `_create_client` of a channel without a connection
    raises one of the transport's connection errors.
    """

    def _create_client(self, asynchronous: bool = False) -> Any:
        if self.connection is None or self.connection.client is None:
            raise RedisConnectionError("the connection of this channel is closed")
        return super()._create_client(asynchronous)


def patch_redis_channel() -> None:
    """Use the patched channel for every Redis connection of this process."""
    transport.Transport.Channel = Channel


def drop_malformed(task: Any, app: Celery, consumer: Any, **options: Any) -> Callable[..., Any]:
    """Celery's strategy for received messages, which also drops those that are not [args, kwargs, embed].

    Bug: the default strategy does not validate the body. For another body it raises an error that nothing handles, so
    the worker exits, and the broker delivers the message to the next one.

    Affected: Celery 5.7.0. Upstream: no issue known. Remove when the default strategy raises InvalidTaskError for such
    messages.
    """
    handle = default(task, app, consumer, **options)

    def handle_valid(message: Any, *rest: Any, **more: Any) -> Any:
        match message.payload:
            case [list(), dict(), dict() | None] if isinstance(message.headers.get("id"), str):
                pass
            case _:
                raise InvalidTaskError("the body must be [args, kwargs, embed]")
        try:
            return handle(message, *rest, **more)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InvalidTaskError(repr(error)) from error

    return handle_valid
