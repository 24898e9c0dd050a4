"""schemathesis against the running web server, briefly: `make fuzz` takes its time."""

from __future__ import annotations

import pytest

from tests.hostile.openapi import fuzz_api
from tests.support.stack import Stack

pytestmark = pytest.mark.processes


def test_the_api_does_what_its_schema_says_whatever_is_sent(web: Stack) -> None:
    fuzzed = fuzz_api(web, examples=20, seed=1)
    assert fuzzed.fine, fuzzed.said
    assert fuzzed.tried > 300
    assert "internal_error" not in web.log("web").read_text()
