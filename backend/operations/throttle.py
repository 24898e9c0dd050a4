"""How many photos an address may send or have tried again a minute, counted in the broker for all web processes."""

from __future__ import annotations

import hashlib
import hmac
import time

import redis
import structlog
from django.conf import settings
from django.http import HttpRequest
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from backend.operations.broker import broker_client, broker_is_redis

log = structlog.get_logger(__name__)

WINDOW_SECONDS = 60
#: After a count that failed, the next requests do not wait for the time-out as well.
QUIET_SECONDS = 3.0


def client_address(request: HttpRequest) -> str:
    """The sender's address: as many entries from the right of X-Forwarded-For as there are proxies to trust."""
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    trusted = settings.TRUSTED_PROXIES
    if trusted and len(forwarded) >= trusted:
        return forwarded[-trusted]
    return str(request.META.get("REMOTE_ADDR", ""))


class SubmitThrottle(BaseThrottle):
    """A fixed window of a minute, counted by one atomic increment.

    The count's key is a keyed hash, so no address is stored. When the broker does not answer, everybody may
    pass: a photo that waits for its bell is better than one that is refused.
    """

    _quiet_until = 0.0

    def __init__(self) -> None:
        self._seconds_left = 1.0

    def allow_request(self, request: HttpRequest, view: APIView | None) -> bool:
        if not broker_is_redis():
            return True
        if time.monotonic() < SubmitThrottle._quiet_until:
            return True
        window, into = divmod(time.time(), WINDOW_SECONDS)
        self._seconds_left = WINDOW_SECONDS - into
        digest = hmac.new(settings.SECRET_KEY.encode(), client_address(request).encode(), hashlib.sha256).hexdigest()
        key = f"submits:{digest[:32]}:{int(window)}"
        try:
            with broker_client().pipeline() as pipeline:
                pipeline.incr(key)
                pipeline.expire(key, 2 * WINDOW_SECONDS)
                count, _set = pipeline.execute()
        except (redis.RedisError, OSError) as error:
            SubmitThrottle._quiet_until = time.monotonic() + QUIET_SECONDS
            log.warning("throttle_unknown", cause=repr(error))
            return True
        return int(count) <= settings.SUBMITS_PER_MINUTE

    def wait(self) -> float:
        return self._seconds_left
