"""When to see a doctor, whatever the photo shows: from an emergency to care at home.

The same limits as the answers to questions (`backend/questions/red_flags.toml`): `tests/questions/test_tiers.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Tier:
    """How urgent it is, what belongs to it, and the number to call, in Korea."""

    key: str
    heading: Promise
    cases: tuple[Promise, ...]
    phone: str = ""


TIERS = (
    Tier(
        "emergency",
        _("Call 119 now"),
        (
            _("a swollen face or trouble breathing"),
            _("bleeding that doesn’t stop after ten minutes of pressure"),
            _("vomiting or drowsiness after a head injury"),
        ),
        phone="119",
    ),
    Tier(
        "today",
        _("See a doctor today"),
        (
            _("pus, painful swelling, spreading redness or a fever"),
            _("a burn or a head injury"),
            _("painful blisters on one side of the head"),
        ),
    ),
    Tier(
        "soon",
        _("See a dermatologist this week"),
        (
            _("hair that falls out suddenly, in clumps or in round patches"),
            _("bald spots that look scarred"),
            _("a sore that doesn’t heal, or a mole or lump that changes"),
            _("weeping skin, or itching for more than two weeks"),
            _("any of this on a child"),
        ),
    ),
    Tier(
        "self_care",
        _("Care at home first"),
        (_("oil, dandruff or fine scales without pain; see a dermatologist if four weeks of care don’t help"),),
    ),
)
