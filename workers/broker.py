"""How a worker lives through the loss of its broker."""

from __future__ import annotations

from typing import Any

import structlog
from kombu.transport import redis

log = structlog.get_logger(__name__)


class PatientQoS(redis.QoS):
    """Leaves unacknowledged messages where they are when the broker is gone.

    While a lost connection is closed, kombu 5.7.0 wants to hand them back through that very connection; the
    AttributeError that it then raises ends the worker, models and all. Nothing is lost by waiting: the
    broker hands the messages out again after the visibility timeout, and the reaper rings before that.
    """

    def restore_unacked(self, client: Any = None) -> None:
        try:
            super().restore_unacked(client)
        except (AttributeError, *self.channel.connection_errors) as error:
            log.warning("messages_left_with_broker", messages=len(self._delivered), cause=repr(error))
            self._delivered.clear()


def patience_install() -> None:
    """Make every Redis channel of this process patient."""
    redis.Channel.QoS = PatientQoS
