"""Moments in pages: in the zone of the server, with its name, until `local-time.js` shows the reader's own instead."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

register = template.Library()


@register.simple_tag
def local_time(moment: datetime) -> SafeString:
    """The date and the time."""
    return _element(moment, "time", gettext("N j, Y, P"))


@register.simple_tag
def local_date(moment: datetime) -> SafeString:
    """The date alone. It depends on the zone too."""
    return _element(moment, "date", gettext("N j, Y"))


def _element(moment: datetime, kind: str, pattern: str) -> SafeString:
    here = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" data-local="{}">{} {}</time>',
        here.isoformat(timespec="seconds"), kind, date_format(here, pattern), here.tzname(),
    )  # fmt: skip
