"""Which addresses from catalogs and registers may become links."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext_lazy as _

_validate_url = URLValidator(schemes=["http", "https"])


def validate_web_address(address: str) -> None:
    """Raises ValidationError unless this is an http or https address with a host. It must not contain a user, which
    would seem to be the host, or invisible characters, some of which change the direction of what follows.
    """
    _validate_url(address)
    if "@" in urlsplit(address).netloc or not address.isprintable():
        raise ValidationError(_("Enter a valid URL."), code="invalid")
