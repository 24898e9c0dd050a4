"""The answer to a poll, whichever way the request took: `polling.Polls` ahead of Django, or Django's own."""

from __future__ import annotations

import json
from collections.abc import Set
from typing import NamedTuple

from django.utils.http import parse_etags
from django.utils.translation import override

from backend.analyses.api.representation import analysis_json
from backend.analyses.selectors.status import AnalysisStatus
from backend.config.private_responses import private_headers


class StatusAnswer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def status_answer(
    analysis: AnalysisStatus, language: str, known_etags: Set[str], *, waited: float | None = None
) -> StatusAnswer:
    """200 with the analysis as JSON, or 304 if its ETag is known.

    `waited`: the seconds of `Prefer: wait` if the request was held. Raises AnalysisErased if it was erased just now.
    """
    etag = status_etag(analysis, language)
    headers = {"ETag": etag, "Vary": "Accept-Language", **private_headers(analysis.retry_after)}
    if waited is not None:
        headers["Preference-Applied"] = f"wait={waited:g}"
    if is_known(etag, known_etags):
        return StatusAnswer(304, headers, b"")
    body = _status_body(analysis, language)
    headers["Content-Type"] = "application/json"
    headers["Content-Length"] = str(len(body))
    headers["Content-Language"] = language
    return StatusAnswer(200, headers, body)


#: Grows with the fields of an answer, so that no client keeps one that it got before an upgrade.
ANSWER_VERSION = 2


def status_etag(analysis: AnalysisStatus, language: str) -> str:
    """An ETag that changes whenever the answer does, except for the estimated time."""
    # The language is part of it, as the answer contains texts.
    return f'"{analysis.version}.{language}.{ANSWER_VERSION}"'


def client_etags(if_none_match: str) -> set[str]:
    """The ETags of an `If-None-Match`, without the prefix of weak ones.

    A proxy that compresses makes them weak, which does not matter for a poll. Apache's adds `-gzip` to them
    (https://bz.apache.org/bugzilla/show_bug.cgi?id=45023).
    """
    return {tag.removeprefix("W/").replace('-gzip"', '"') for tag in parse_etags(if_none_match)}


def is_known(etag: str, known_etags: Set[str]) -> bool:
    return not known_etags.isdisjoint({etag, "*"})


def _status_body(analysis: AnalysisStatus, language: str) -> bytes:
    if not analysis.ended:  # Only an end has words, and most polls come before it.
        return json.dumps(analysis_json(analysis), ensure_ascii=False).encode()
    with override(language):
        return json.dumps(analysis_json(analysis), ensure_ascii=False).encode()
