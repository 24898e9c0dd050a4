"""Moments in pages: exact for scripts, and readable with the name of the zone where no script runs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.template import Context, Template
from django.utils import translation

MOMENT = datetime(2026, 11, 30, 16, 7, 5, 123, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tag", "language", "text"),
    [
        ("local_time", "en", "Dec. 1, 2026, 1:07 a.m. KST"),
        ("local_time", "ko", "2026년 12월 1일 오전 1:07 KST"),
        ("local_date", "en", "Dec. 1, 2026 KST"),
        ("local_date", "ko", "2026년 12월 1일 KST"),
    ],
)
def test_a_moment_has_its_offset_and_the_name_of_its_zone(tag: str, language: str, text: str) -> None:
    with translation.override(language):
        html = Template(f"{{% load local_time %}}{{% {tag} moment %}}").render(Context({"moment": MOMENT}))
    kind = tag.removeprefix("local_")
    assert html == f'<time datetime="2026-12-01T01:07:05+09:00" data-local="{kind}">{text}</time>'
