"""BM25 (Robertson, Zaragoza: The Probabilistic Relevance Framework, 2009), with an idf that is never below 0."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

K1, B = 1.2, 0.5


class BM25:
    """Scores a question against every document, as a share of the limit that repeating its words would approach."""

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        self._size = len(documents)
        lengths = np.array([len(document) for document in documents], dtype=np.float32)
        norm = K1 * (1 - B + B * lengths / max(1.0, float(lengths.mean()) if self._size else 1.0))
        postings: dict[str, list[tuple[int, int]]] = {}
        for number, document in enumerate(documents):
            for term, count in Counter(document).items():
                postings.setdefault(term, []).append((number, count))
        self._postings: dict[str, tuple[NDArray[np.intp], NDArray[np.float32]]] = {}
        for term, found in postings.items():
            numbers = np.array([number for number, _count in found], dtype=np.intp)
            counts = np.array([count for _number, count in found], dtype=np.float32)
            weights = self._idf(len(found)) * counts / (counts + norm[numbers])
            self._postings[term] = numbers, weights.astype(np.float32)

    def scores(self, question: Sequence[str]) -> NDArray[np.float32]:
        """One score per document, about 0 to 1. A term that no document has lowers all scores."""
        scores = np.zeros(self._size, dtype=np.float32)
        limit = 0.0
        for term in set(question):
            if term in self._postings:
                numbers, weights = self._postings[term]
                scores[numbers] += weights
                limit += self._idf(len(numbers))
            else:
                limit += self._idf(0)
        return scores / np.float32(limit or 1.0)

    def _idf(self, documents: int) -> float:
        return math.log(1 + (self._size - documents + 0.5) / (documents + 0.5))
