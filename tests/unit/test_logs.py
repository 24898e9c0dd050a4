"""Log lines: nobody can fill the disk with long requests."""

from __future__ import annotations

import json
import logging

from django.conf import settings

from backend.operations.logs import TRACEBACK_MAX_CHARS, VALUE_MAX_CHARS, json_formatter


def formatted(message: str, *arguments: object, error: Exception | None = None) -> dict[str, str]:
    info = (type(error), error, None) if error else None
    record = logging.LogRecord("django.request", logging.ERROR, "file.py", 1, message, arguments, info)
    line: dict[str, str] = json.loads(json_formatter().format(record))
    return line


def test_no_value_of_a_line_is_longer_than_a_few_hundred_characters() -> None:
    assert len(formatted("Forbidden: %s", "/x" * 2000)["event"]) <= VALUE_MAX_CHARS + 1
    assert formatted("Forbidden: %s", "/x")["event"] == "Forbidden: /x"


def test_a_traceback_is_kept_from_its_end() -> None:
    line = formatted("failed", error=ValueError("x" * 20_000 + " the end"))
    assert line["exception"].endswith(" the end")
    assert len(line["exception"]) <= TRACEBACK_MAX_CHARS + 1


def test_what_strangers_are_refused_for_is_not_logged() -> None:
    """Each is unthrottled, and would be a line with whatever path was asked for."""
    for refused in ("csrf", "DisallowedHost", "RequestDataTooBig"):
        assert settings.LOGGING["loggers"][f"django.security.{refused}"]["level"] == "CRITICAL"
