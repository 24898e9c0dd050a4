"""Throttle for logins to the admin, with device cookies.

Attempts are counted by address and by user name. Counting by name alone would let an attacker lock an admin out by
guessing. So a browser that has logged in before keeps a signed cookie for the name, and its attempts are counted by
that cookie alone (https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies).
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth.forms import UsernameField
from django.core import signing
from django.http import HttpRequest, HttpResponse

from backend.operations.throttle import client_address, throttle_wait

COOKIE = "scalp_known_to_staff"
COOKIE_SECONDS = 180 * 24 * 3600
COOKIE_PATH = "/admin/login/"

_signer = signing.TimestampSigner(salt=COOKIE)


def login_wait(request: HttpRequest) -> float:
    """Count a login attempt; returns the seconds to wait, 0 if it is allowed."""
    name = _submitted_name(request)
    if device := _device_id(request, name):
        return throttle_wait(settings.LOGINS_PER_MINUTE, "logins", f"browser {device}")
    return throttle_wait(settings.LOGINS_PER_MINUTE, "logins", f"address {client_address(request)}", f"name {name}")


def remember_browser(request: HttpRequest, response: HttpResponse) -> None:
    """Set the device cookie for the name of the user who is logged in."""
    value = _signer.sign_object([request.user.get_username(), secrets.token_urlsafe(16)])
    response.set_cookie(
        COOKIE, value, max_age=COOKIE_SECONDS, path=COOKIE_PATH, secure=settings.HTTPS, httponly=True, samesite="Strict"
    )


def _submitted_name(request: HttpRequest) -> str:
    # Normalized as Django does, so that other spellings of a name do not get a count of their own.
    return str(UsernameField(strip=True).to_python(request.POST.get("username", "")))


def _device_id(request: HttpRequest, name: str) -> str | None:
    """The random id in the device cookie, if this browser has logged in with this name before."""
    try:
        known_for, nonce = _signer.unsign_object(request.COOKIES.get(COOKIE, ""), max_age=COOKIE_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return str(nonce) if known_for == name else None
