"""Addresses that may become links."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from backend.clinics.registers.layouts import _clean_website
from backend.operations.web_addresses import validate_web_address

BAD = [
    "javascript:alert(1).x", "http://javascript:alert(1).x", "data:text/html,x.y", "//evil.example", "ftp://good.kr/",
    "http://good.kr@evil.example/.", "http://user:word@good.kr/", "http://good.kr/\u202egpj.exe", "http://good.kr/\u200b",
    "http://good.kr/ x", "http://good.kr/\nx", "http://[::1", "http:///x.y", "-", "",
]  # fmt: skip


@pytest.mark.parametrize("address", BAD)
def test_what_browsers_should_not_open_is_no_link(address: str) -> None:
    with pytest.raises(ValidationError):
        validate_web_address(address)
    assert _clean_website(address) == ""


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("www.example.com", "http://www.example.com"),
        ("https://blog.example.com/a_b?c=1", "https://blog.example.com/a_b?c=1"),
        ("HTTP://피부과.한국", "HTTP://피부과.한국"),
    ],
)
def test_what_registers_write_becomes_a_link(written: str, address: str) -> None:
    assert _clean_website(written) == address
    validate_web_address(address)
