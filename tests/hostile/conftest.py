"""The web server that the corpus and schemathesis are sent to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hostile.trial import front
from tests.support.stack import Stack


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = front(tmp_path_factory.mktemp("hostile"))
    try:
        yield stack.up_web(broker=True)
    finally:
        stack.down()
