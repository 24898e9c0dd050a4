"""Rate limits per client and minute, counted for all web processes in the broker or the database."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Sequence
from ipaddress import IPv4Address, ip_address, ip_network

import structlog
from django.conf import settings
from django.http import HttpRequest
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from backend.operations.circuit_breaker import CircuitBreaker
from backend.operations.counters import THROTTLED
from backend.operations.redis_client import REDIS_ERRORS, broker_is_rabbitmq, broker_is_redis, redis_client
from backend.operations.services import count_attempt

log = structlog.get_logger(__name__)

WINDOW_SECONDS = 60

_breaker = CircuitBreaker()


def client_address(request: HttpRequest) -> str:
    """The client's address: the entry of X-Forwarded-For that the first of the trusted proxies added.

    For IPv6 it is the /64 network, which is what a single home or host gets (RFC 6177), with too many addresses to
    count.
    """
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    trusted = settings.TRUSTED_PROXIES
    if trusted and len(forwarded) >= trusted:
        return _network(forwarded[-trusted])
    return _network(str(request.META.get("REMOTE_ADDR", "")))


def _network(address: str) -> str:
    """Without a port, which some proxies add: `192.0.2.1:443`, `[2001:db8::1]:443` (RFC 7239, section 6)."""
    if address.startswith("["):
        address = address[1:].partition("]")[0]
    elif address.count(":") == 1:
        address = address.partition(":")[0]
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if isinstance(known, IPv4Address):
        return address
    return str(known.ipv4_mapped or ip_network((known, 64), strict=False))


def throttle_wait(limit: int, what: str, *senders: str) -> float:
    """Count an attempt of `what` for each of the senders; returns 0 if it is allowed, else the seconds to wait.

    If Redis does not answer, everything is allowed: photos are better queued than refused, and admins have to get in.
    """
    if max(count_attempts(what, *senders), default=0) <= limit:
        return 0.0
    THROTTLED.labels(what).inc()
    return WINDOW_SECONDS - time.time() % WINDOW_SECONDS


def count_attempts(what: str, *senders: str, seconds: int = WINDOW_SECONDS) -> list[int]:
    """Count an attempt of `what` for each of the senders; returns their counts in this window of `seconds`.

    Fixed windows and atomic increments: in Redis, or in the database with RabbitMQ. The keys are keyed hashes, so
    neither addresses nor names are stored, and expire a minute after their window. Empty if Redis does not answer.
    """
    window, into = divmod(time.time(), seconds)
    lifetime = int(seconds - into) + WINDOW_SECONDS
    keys = []
    for sender in senders:
        digest = hmac.new(settings.SECRET_KEY.encode(), sender.encode(), hashlib.sha256).hexdigest()
        keys.append(f"{what}:{digest[:32]}:{int(window)}")
    if broker_is_rabbitmq():
        return [count_attempt(key, seconds=lifetime) for key in keys]
    return _count_in_redis(keys, lifetime)


def _count_in_redis(keys: Sequence[str], seconds: int) -> list[int]:
    """Increment the counts, which expire after `seconds`; empty if Redis does not answer."""
    if not broker_is_redis() or not _breaker.allows_call():
        return []
    try:
        with redis_client().pipeline() as pipeline:
            for key in keys:
                pipeline.incr(key)
                pipeline.expire(key, seconds)
            counts = [int(count) for count in pipeline.execute()[::2]]
    except REDIS_ERRORS as error:
        _breaker.record_failure()
        log.warning("throttle_unavailable", cause=repr(error))
        return []
    _breaker.record_success()
    return counts


class SubmitThrottle(BaseThrottle):
    """How many photos an address may send, or retry, per minute."""

    _wait = 0.0

    def allow_request(self, request: HttpRequest, view: APIView | None) -> bool:
        self._wait = throttle_wait(settings.SUBMITS_PER_MINUTE, "submits", client_address(request))
        return not self._wait

    def wait(self) -> float:
        return self._wait
