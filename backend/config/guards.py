"""Headers by which a browser guards an answer. Every answer has them, whatever made it; pages say more of their own."""

from __future__ import annotations

from types import MappingProxyType

#: What no page of ours uses is off for whatever might get into one; the camera, and the place by which clinics are
#: sorted on the device, are for our own pages alone.
PERMISSIONS = "camera=(self), display-capture=(), geolocation=(self), microphone=(), payment=(), usb=()"

GUARDS = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        # Of what is no page: opened as one, it loads and runs nothing.
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        # No window of another site has a hand on ours, and no page of another site can show what we answer.
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": PERMISSIONS,
    }
)
