"""How often the same sender may try something in a minute, counted for all web processes by broker or database."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Sequence
from ipaddress import IPv4Address, ip_address, ip_network

import redis
import structlog
from django.conf import settings
from django.http import HttpRequest
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from backend.operations.counters import THROTTLED
from backend.operations.redis_client import broker_is_rabbitmq, broker_is_redis, redis_client
from backend.operations.services import count_attempt

log = structlog.get_logger(__name__)

WINDOW_SECONDS = 60
#: After a count that failed, the next requests do not wait for the time-out as well.
RETRY_SECONDS = 3.0

_retry_at = 0.0


def client_address(request: HttpRequest) -> str:
    """The sender's address: as many entries from the right of X-Forwarded-For as there are proxies to trust.

    Of an IPv6 address its network of 64 bits, which is what a single home or host is given (RFC 6177): it has more
    addresses than anybody could count.
    """
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    trusted = settings.TRUSTED_PROXIES
    if trusted and len(forwarded) >= trusted:
        return _network(forwarded[-trusted])
    return _network(str(request.META.get("REMOTE_ADDR", "")))


def _network(address: str) -> str:
    try:
        known = ip_address(address.strip("[]"))
    except ValueError:
        return address
    if isinstance(known, IPv4Address):
        return address
    return str(known.ipv4_mapped or ip_network((known, 64), strict=False))


def throttle_wait(limit: int, what: str, *senders: str) -> float:
    """Count one more try of `what` by each of the senders; 0 if it is allowed, else the seconds to wait.

    When Redis does not answer, everybody may pass: a photo that waits for its bell is better than one that is refused,
    and so are admins who get in to see why.
    """
    if max(count_attempts(what, *senders), default=0) <= limit:
        return 0.0
    THROTTLED.labels(what).inc()
    return WINDOW_SECONDS - time.time() % WINDOW_SECONDS


def count_attempts(what: str, *senders: str, seconds: int = WINDOW_SECONDS) -> list[int]:
    """Count one more try of `what` by each of the senders; how often each has tried in this window of so many seconds.

    Fixed windows, counted by atomic increments: by Redis, or by the database where the broker is RabbitMQ, which does
    not count. The counts' keys are keyed hashes, so neither addresses nor names are stored, and they last for a minute
    longer than their window. Empty where nobody counts, as Redis does not answer.
    """
    window, into = divmod(time.time(), seconds)
    lasts = int(seconds - into) + WINDOW_SECONDS
    keys = []
    for sender in senders:
        digest = hmac.new(settings.SECRET_KEY.encode(), sender.encode(), hashlib.sha256).hexdigest()
        keys.append(f"{what}:{digest[:32]}:{int(window)}")
    if broker_is_rabbitmq():
        return [count_attempt(key, seconds=lasts) for key in keys]
    return _count_in_redis(keys, lasts)


def _count_in_redis(keys: Sequence[str], seconds: int) -> list[int]:
    """How often each was counted with this time, kept for so many seconds; empty where nobody answers."""
    global _retry_at
    if not broker_is_redis() or time.monotonic() < _retry_at:
        return []
    try:
        with redis_client().pipeline() as pipeline:
            for key in keys:
                pipeline.incr(key)
                pipeline.expire(key, seconds)
            return [int(count) for count in pipeline.execute()[::2]]
    except (redis.RedisError, OSError) as error:
        _retry_at = time.monotonic() + RETRY_SECONDS
        log.warning("throttle_unavailable", cause=repr(error))
        return []


class SubmitThrottle(BaseThrottle):
    """How many photos an address may send, or have tried again, a minute."""

    _wait = 0.0

    def allow_request(self, request: HttpRequest, view: APIView | None) -> bool:
        self._wait = throttle_wait(settings.SUBMITS_PER_MINUTE, "submits", client_address(request))
        return not self._wait

    def wait(self) -> float:
        return self._wait
