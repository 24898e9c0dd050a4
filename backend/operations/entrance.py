"""The entrance for staff: how often somebody may try to log in, and how an admin gets in while strangers try.

Tries are counted by address and by user name. The count by name alone would let anybody keep an admin out for as long
as they care to guess at that name. So a browser that has logged in keeps a signed cookie for the name, and its tries
are counted for that cookie and nobody else's
(https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies).
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
PATH = "/admin/login/"

_signer = signing.TimestampSigner(salt=COOKIE)


def login_wait(request: HttpRequest) -> float:
    """Count a try to log in; the seconds to wait if there were too many."""
    name = _name(request)
    if known := _known(request, name):
        return throttle_wait(settings.LOGINS_PER_MINUTE, "logins", f"browser {known}")
    return throttle_wait(settings.LOGINS_PER_MINUTE, "logins", f"address {client_address(request)}", f"name {name}")


def browser_remember(request: HttpRequest, response: HttpResponse) -> None:
    """Let the browser of somebody who is logged in be known again when it logs in with the same name."""
    value = _signer.sign_object([request.user.get_username(), secrets.token_urlsafe(16)])
    response.set_cookie(
        COOKIE, value, max_age=COOKIE_SECONDS, path=PATH, secure=settings.HTTPS, httponly=True, samesite="Strict"
    )


def _name(request: HttpRequest) -> str:
    # As Django reads it, so that no other spelling of a name has a count of its own.
    return str(UsernameField(strip=True).to_python(request.POST.get("username", "")))


def _known(request: HttpRequest, name: str) -> str | None:
    """What the browser is told from others by, if it has logged in with this name before."""
    try:
        known_for, nonce = _signer.unsign_object(request.COOKIES.get(COOKIE, ""), max_age=COOKIE_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return str(nonce) if known_for == name else None
