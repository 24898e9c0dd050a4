"""Logs as one line of JSON per event: ids and causes, never answers or photos."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import structlog.typing

#: The most characters of a value in a line: parts of it may come from a request.
VALUE_MAX_CHARS = 400
#: Of a traceback, from its end.
TRACEBACK_MAX_CHARS = 8000


def shorten_values(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Cuts each value, so that long requests cannot fill the log."""
    for key, value in event.items():
        if key == "exception":
            if len(value) > TRACEBACK_MAX_CHARS:
                event[key] = f"…{value[-TRACEBACK_MAX_CHARS:]}"
        elif not isinstance(value, int | float | bool | None):
            text = value if isinstance(value, str) else repr(value)
            if len(text) > VALUE_MAX_CHARS:
                event[key] = f"{text[:VALUE_MAX_CHARS]}…"
    return event


SHARED_PROCESSORS: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


#: The message header with the id of the request that sent it.
REQUEST_HEADER = "request_id"


@contextmanager
def bind_request_id(request_id: str | None) -> Iterator[None]:
    """Add the id to every log line of this thread; a new one if None is given, as for upkeep."""
    with structlog.contextvars.bound_contextvars(request=request_id or uuid.uuid4().hex):
        yield


def request_headers() -> dict[str, str]:
    """Message headers that pass on the id of the current request; empty outside of requests."""
    request_id = structlog.contextvars.get_contextvars().get("request")
    return {REQUEST_HEADER: request_id} if request_id else {}


def json_formatter() -> logging.Formatter:
    """The formatter for every handler, also for the standard library's loggers."""
    structlog.configure(
        processors=[*SHARED_PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=SHARED_PROCESSORS,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            shorten_values,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )


class Unplanned(logging.Filter):
    """Passes Django's log records of unplanned responses: all server errors except 503."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(record, "status_code", 500) != 503
