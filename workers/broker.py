"""How a worker lives through the loss of its broker."""

from __future__ import annotations

from typing import Any

from kombu.transport import redis as transport
from redis.exceptions import ConnectionError as BrokerGone


class Channel(transport.Channel):
    """A channel whose connection was closed says so with an error that Celery knows.

    After the broker was lost, tasks that were running acknowledge their messages through the old channel, and
    closing it wants to hand unacknowledged ones back. kombu 5.7.0 then raises AttributeError for the
    connection that is not there any more, which ends the worker, models and all. As a connection error it is
    handled. Nothing is lost: the broker hands the messages out again after the visibility timeout, the
    reaper rings before that, and a message that finds nothing to claim is dropped.
    """

    def _create_client(self, asynchronous: bool = False) -> Any:
        if self.connection is None or self.connection.client is None:
            raise BrokerGone("the connection of this channel was closed")
        return super()._create_client(asynchronous)


def channel_install() -> None:
    """Give every Redis connection of this process such channels."""
    transport.Transport.Channel = Channel
