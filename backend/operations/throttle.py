"""How often the same sender may try something in a minute, counted for all web processes by broker or database."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Sequence

import redis
import structlog
from django.conf import settings
from django.contrib.auth.forms import UsernameField
from django.http import HttpRequest
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from backend.operations.broker import broker_client, broker_is_rabbitmq, broker_is_redis
from backend.operations.services import count_try

log = structlog.get_logger(__name__)

WINDOW_SECONDS = 60
#: After a count that failed, the next requests do not wait for the time-out as well.
QUIET_SECONDS = 3.0

_quiet_until = 0.0


def client_address(request: HttpRequest) -> str:
    """The sender's address: as many entries from the right of X-Forwarded-For as there are proxies to trust."""
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    trusted = settings.TRUSTED_PROXIES
    if trusted and len(forwarded) >= trusted:
        return forwarded[-trusted]
    return str(request.META.get("REMOTE_ADDR", ""))


def throttle_wait(limit: int, what: str, *senders: str) -> float:
    """Count one more try of `what` by each of the senders; 0 if it is allowed, else the seconds to wait.

    A fixed window of a minute, counted by atomic increments: by Redis, or by the database where the broker is RabbitMQ,
    which does not count. The counts' keys are keyed hashes, so neither addresses nor names are stored. When Redis does
    not answer, everybody may pass: a photo that waits for its bell is better than one that is refused, and so are
    admins who get in to see why.
    """
    window, into = divmod(time.time(), WINDOW_SECONDS)
    keys = []
    for sender in senders:
        digest = hmac.new(settings.SECRET_KEY.encode(), sender.encode(), hashlib.sha256).hexdigest()
        keys.append(f"{what}:{digest[:32]}:{int(window)}")
    if broker_is_rabbitmq():
        counts = [count_try(key, seconds=2 * WINDOW_SECONDS) for key in keys]
    else:
        counts = _counted_by_redis(keys)
    return WINDOW_SECONDS - into if max(counts, default=0) > limit else 0.0


def _counted_by_redis(keys: Sequence[str]) -> list[int]:
    """How often each was counted with this time; empty where nobody answers."""
    global _quiet_until
    if not broker_is_redis() or time.monotonic() < _quiet_until:
        return []
    try:
        with broker_client().pipeline() as pipeline:
            for key in keys:
                pipeline.incr(key)
                pipeline.expire(key, 2 * WINDOW_SECONDS)
            return [int(count) for count in pipeline.execute()[::2]]
    except (redis.RedisError, OSError) as error:
        _quiet_until = time.monotonic() + QUIET_SECONDS
        log.warning("throttle_unknown", cause=repr(error))
        return []


class SubmitThrottle(BaseThrottle):
    """How many photos an address may send, or have tried again, a minute."""

    _wait = 0.0

    def allow_request(self, request: HttpRequest, view: APIView | None) -> bool:
        self._wait = throttle_wait(settings.SUBMITS_PER_MINUTE, "submits", client_address(request))
        return not self._wait

    def wait(self) -> float:
        return self._wait


def login_wait(request: HttpRequest) -> float:
    """Count a try to log in for its address and for the user name; the seconds to wait if there were too many."""
    # As Django reads it, so that no other spelling of a name has a count of its own.
    name = UsernameField(strip=True).to_python(request.POST.get("username", ""))
    return throttle_wait(settings.LOGINS_PER_MINUTE, "logins", f"address {client_address(request)}", f"name {name}")
