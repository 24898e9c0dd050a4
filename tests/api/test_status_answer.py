"""The answer to a poll as a function of the analysis, the language and the ETags that the client knows."""

from __future__ import annotations

import json

import pytest
from django.utils.translation import override

from backend.analyses.api.status_answer import status_answer, status_etag
from backend.analyses.selectors.status import analysis_status
from tests.support.analyses import queued, rejected

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.mark.parametrize("active", ["en", "ko"])
def test_the_language_is_the_given_one_whatever_is_active(active: str) -> None:
    analysis = analysis_status(rejected("too_dark").id)
    with override(active):
        korean, english = (status_answer(analysis, language, set()) for language in ("ko", "en"))
    assert json.loads(english.body)["rejection"]["detail"].startswith("The photo is too dark")
    assert "어두워" in json.loads(korean.body)["rejection"]["detail"]
    assert (korean.headers["Content-Language"], english.headers["Content-Language"]) == ("ko", "en")


def test_a_known_etag_is_answered_without_a_body() -> None:
    analysis = analysis_status(queued().id)
    answer = status_answer(analysis, "ko", {status_etag(analysis, "ko")})
    assert (answer.status, answer.body) == (304, b"")
    assert "Content-Type" not in answer.headers
    assert status_answer(analysis, "en", {status_etag(analysis, "ko")}).status == 200


@pytest.mark.parametrize(("waited", "applied"), [(None, None), (7.0, "wait=7")])
def test_a_held_answer_says_what_was_waited_for(waited: float | None, applied: str | None) -> None:
    answer = status_answer(analysis_status(queued().id), "en", set(), waited=waited)
    assert answer.headers.get("Preference-Applied") == applied
