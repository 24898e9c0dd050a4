"""With the embedding model and without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from backend.questions.retrieval import embedding
from backend.questions.selectors import answering


@pytest.fixture(params=["by meaning and words", "by words alone"])
def by_meaning(request: pytest.FixtureRequest, settings: Any) -> Iterator[bool]:
    """Whether embeddings are compared, for which `requirements/questions.txt` is installed with the tests."""
    settings.QUESTIONS_BY_MEANING = request.param == "by meaning and words"
    for cache in (embedding._model, answering._search_index):
        cache.cache_clear()
    yield settings.QUESTIONS_BY_MEANING
    for cache in (embedding._model, answering._search_index):
        cache.cache_clear()
