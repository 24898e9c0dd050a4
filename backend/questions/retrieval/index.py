"""Ranks all entries by how well they fit a question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from backend.questions.retrieval.bm25 import BM25
from backend.questions.retrieval.embedding import embed, model_is_installed
from backend.questions.retrieval.terms import character_trigrams, detect_language, terms

Scores = NDArray[np.float32]

#: Weights of similarity to an entry's closest phrase, to the centroid of its phrases and to its answer, and of BM25.
#: Chosen by leave-one-out on the phrases of the entries, without the held-out questions of the tests.
CLOSEST_PHRASE_WEIGHT, CENTROID_WEIGHT, ANSWER_WEIGHT, BM25_WEIGHT = 1.0, 1.5, 0.5, 0.6
#: Shrinkage of the within-entry covariance toward the identity: there are 384 dimensions and few phrases per entry.
COVARIANCE_SHRINKAGE = 0.8
#: Weights without embeddings: BM25, and trigrams shared with the closest phrase, which tolerate misspellings.
BM25_ONLY_WEIGHT, TRIGRAM_WEIGHT = 1.0, 0.2


class Role(StrEnum):
    """The role of a text in its entry."""

    PHRASE = "phrase"  #: a way to ask
    ANSWER = "answer"  #: its question and answer


@dataclass(frozen=True)
class Text:
    """One text of the entry `key`. `vector`: its embedding, 384 numbers; None if it was never computed."""

    key: str
    role: Role
    language: str
    text: str
    terms: tuple[str, ...]
    vector: Scores | None = None


@dataclass(frozen=True)
class Match:
    key: str
    score: float


class Index:
    """An index of entries by their texts. `by_meaning`: whether embeddings are used, for which each text needs one."""

    def __init__(self, texts: Sequence[Text], *, by_meaning: bool = True) -> None:
        self.keys = sorted({text.key for text in texts})
        self._number = {key: number for number, key in enumerate(self.keys)}
        documents: list[list[str]] = [[] for _ in self.keys]
        for text in texts:
            documents[self._number[text.key]] += text.terms
        self._bm25 = BM25(documents)
        phrases = [text for text in texts if text.role == Role.PHRASE]
        self._phrases_of = self._entry_numbers(phrases)
        self.by_meaning = by_meaning and model_is_installed() and all(text.vector is not None for text in texts)
        if self.by_meaning:
            answers = [text for text in texts if text.role == Role.ANSWER]
            self._answers_of = self._entry_numbers(answers)
            self._language_means = _language_means(phrases)
            centered = _center(phrases, self._language_means)
            self._whitening = whitening_matrix(centered - self._centroids(centered)[self._phrases_of])
            self._phrases = _unit(centered @ self._whitening)
            self._answers = _unit(_center(answers, _language_means(answers)) @ self._whitening)
            self._entry_centroids = _unit(self._centroids(self._phrases))
        else:
            self._trigrams = [character_trigrams(phrase.text) for phrase in phrases]

    def rank(self, question: str, bonuses: Mapping[str, float] | None = None) -> list[Match]:
        """All entries, the best first. `bonuses` are added to the scores of their keys."""
        scores = self._scores(question)
        for key, bonus in (bonuses or {}).items():
            if key in self._number:
                scores[self._number[key]] += bonus
        return [Match(self.keys[n], float(scores[n])) for n in np.argsort(-scores, kind="stable")]

    def _scores(self, question: str) -> Scores:
        words = self._bm25.scores(terms(question))
        if not self.by_meaning:
            asked = character_trigrams(question)
            dice = [2 * len(asked & known) / (len(asked) + len(known) or 1) for known in self._trigrams]
            letters = self._best_per_entry(np.array(dice, dtype=np.float32), self._phrases_of)
            return BM25_ONLY_WEIGHT * words + TRIGRAM_WEIGHT * letters
        vector = _unit((embed([question])[0] - self._language_means[detect_language(question)]) @ self._whitening)
        return (
            CLOSEST_PHRASE_WEIGHT * self._best_per_entry(self._phrases @ vector, self._phrases_of)
            + CENTROID_WEIGHT * (self._entry_centroids @ vector)
            + ANSWER_WEIGHT * self._best_per_entry(self._answers @ vector, self._answers_of)
            + BM25_WEIGHT * words
        )

    def _best_per_entry(self, scores: Scores, entries: NDArray[np.intp]) -> Scores:
        """Each entry's best score; never below 0."""
        best = np.zeros(len(self.keys), dtype=np.float32)
        np.maximum.at(best, entries, scores)
        return best

    def _centroids(self, phrases: Scores) -> Scores:
        """The mean vector of each entry's phrases."""
        sums = np.zeros((len(self.keys), phrases.shape[1]), dtype=np.float32)
        np.add.at(sums, self._phrases_of, phrases)
        counts = np.bincount(self._phrases_of, minlength=len(self.keys))
        return np.asarray(sums / np.maximum(counts, 1)[:, None], dtype=np.float32)

    def _entry_numbers(self, texts: Iterable[Text]) -> NDArray[np.intp]:
        return np.array([self._number[text.key] for text in texts], dtype=np.intp)


def _language_means(texts: Sequence[Text]) -> dict[str, Scores]:
    """The mean vector of each language. Subtracting it makes vectors differ by meaning rather than by language."""
    return {language: _stack(text for text in texts if text.language == language).mean(axis=0)
            for language in {text.language for text in texts}}  # fmt: skip


def _center(texts: Sequence[Text], language_means: dict[str, Scores]) -> Scores:
    return _unit(_stack(texts) - np.stack([language_means[text.language] for text in texts]))


def whitening_matrix(within: Scores) -> Scores:
    """Whitens the variation within entries, so that how something is asked counts less than what is asked.

    Within-class covariance normalization (Hatch, Kajarekar, Stolcke: Interspeech 2006): C^(-1/2) of the covariance C of
    `within`, the phrases minus the centroid of their entry.
    """
    covariance = within.T @ within / max(1, len(within))
    size = len(covariance)
    mean = max(float(np.trace(covariance)) / size, 1e-9)
    values, vectors = np.linalg.eigh(
        (1 - COVARIANCE_SHRINKAGE) * covariance / mean + COVARIANCE_SHRINKAGE * np.eye(size)
    )
    return np.asarray((vectors / np.sqrt(values)) @ vectors.T, dtype=np.float32)


def _stack(texts: Iterable[Text]) -> Scores:
    return np.stack([text.vector for text in texts if text.vector is not None])


def _unit(vectors: Scores) -> Scores:
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return np.asarray(unit, dtype=np.float32)
