"""Security headers that every response has; pages add stricter ones of their own."""

from __future__ import annotations

from types import MappingProxyType

#: Features that no page uses are disabled, also for injected scripts. Our own pages may use the camera, and the
#: location, by which the device sorts clinics.
PERMISSIONS = "camera=(self), display-capture=(), geolocation=(self), microphone=(), payment=(), usb=()"

SECURITY_HEADERS = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        # For responses that are not pages: opened in a browser, they load and run nothing.
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        # Windows of other sites cannot reach ours, and their pages cannot embed our responses.
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": PERMISSIONS,
    }
)
