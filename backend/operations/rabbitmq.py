"""RabbitMQ as Celery's broker: connections on which nobody waits for ever for a server that hangs."""

from __future__ import annotations

from typing import Any

from kombu.transport import pyamqp


class _Patient(pyamqp.Transport):
    """Waits for each answer for `socket_timeout` seconds of the transport's options.

    py-amqp has time-outs for connecting and for single reads, but none for opening a channel, declaring a queue or
    asking for confirms; its `read_timeout` is an SO_RCVTIMEO after which it reads on (`amqp.transport._read`).
    """

    def establish_connection(self) -> Any:
        connection = super().establish_connection()
        assert self.client is not None
        connection.transport.sock.settimeout(self.client.transport_options["socket_timeout"])
        return connection


class amqp(_Patient):  # noqa: N801 - named as the scheme of its URL
    pass


class amqps(_Patient, pyamqp.SSLTransport):  # noqa: N801
    pass
