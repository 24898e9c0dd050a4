"""RabbitMQ as Celery's broker: connections with a timeout for every operation."""

from __future__ import annotations

from typing import Any

from kombu.transport import pyamqp


class _TimeoutTransport(pyamqp.Transport):
    """Waits at most `socket_timeout` seconds (a transport option) for each answer.

    py-amqp has timeouts for connecting and for single reads, but none for opening a channel, declaring a queue or
    enabling confirms; its `read_timeout` is an SO_RCVTIMEO after which it reads on (`amqp.transport._read`).
    """

    def establish_connection(self) -> Any:
        connection = super().establish_connection()
        assert self.client is not None
        connection.transport.sock.settimeout(self.client.transport_options["socket_timeout"])
        return connection


class amqp(_TimeoutTransport):  # noqa: N801 - named as the scheme of its URL
    pass


class amqps(_TimeoutTransport, pyamqp.SSLTransport):  # noqa: N801
    pass
