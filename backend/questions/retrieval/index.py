"""All that can be found, and how well a question fits each of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from backend.questions.retrieval.bm25 import BM25
from backend.questions.retrieval.meaning import meaning_there, meanings
from backend.questions.retrieval.terms import language_of, terms, threes

Scores = NDArray[np.float32]

#: Found on the phrases of the entries themselves, each left out in turn; no question of the test was looked at for it.
#: Of meaning: the closest way to ask, the middle of all of them, the answer. Of words: BM25.
CLOSEST, MIDDLE, ANSWER, WORDS = 1.0, 1.5, 0.5, 0.6
#: Shrinkage of the covariance within entries towards the identity: there are 384 dimensions and few phrases per entry.
COVARIANCE_SHRINKAGE = 0.8
#: Without meaning: BM25, and how many letters the closest way to ask shares, which bears misspelling.
WORDS_ALONE, LETTERS = 1.0, 0.2


class Role(StrEnum):
    """What a text is to its entry."""

    PHRASE = "phrase"  #: a way to ask for it
    ANSWER = "answer"  #: its question and answer


@dataclass(frozen=True)
class Text:
    """One text of the entry `key`. `vector`: its meaning, of 384 numbers; None where it was never worked out."""

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
    """Entries by their texts. `means` says whether meaning counts, for which every text needs its vector."""

    def __init__(self, texts: Sequence[Text], *, means: bool = True) -> None:
        self.keys = sorted({text.key for text in texts})
        self._place = {key: number for number, key in enumerate(self.keys)}
        documents: list[list[str]] = [[] for _ in self.keys]
        for text in texts:
            documents[self._place[text.key]] += text.terms
        self._bm25 = BM25(documents)
        phrases = [text for text in texts if text.role == Role.PHRASE]
        self._phrases_of = self._places(phrases)
        self.means = means and meaning_there() and all(text.vector is not None for text in texts)
        if self.means:
            answers = [text for text in texts if text.role == Role.ANSWER]
            self._answers_of = self._places(answers)
            self._averages = _averages(phrases)
            centred = _centred(phrases, self._averages)
            self._evened = whiten(centred - self._middle(centred)[self._phrases_of])
            self._phrases = _unit(centred @ self._evened)
            self._answers = _unit(_centred(answers, _averages(answers)) @ self._evened)
            self._middles = _unit(self._middle(self._phrases))
        else:
            self._letters = [threes(phrase.text) for phrase in phrases]

    def ranked(self, question: str, nudge: Mapping[str, float] | None = None) -> list[Match]:
        """Every entry, the best first. `nudge` is added to the scores of some."""
        scores = self._scores(question)
        for key, more in (nudge or {}).items():
            if key in self._place:
                scores[self._place[key]] += more
        return [Match(self.keys[n], float(scores[n])) for n in np.argsort(-scores, kind="stable")]

    def _scores(self, question: str) -> Scores:
        words = self._bm25.scores(terms(question))
        if not self.means:
            asked = threes(question)
            shared = [2 * len(asked & of) / (len(asked) + len(of) or 1) for of in self._letters]
            return WORDS_ALONE * words + LETTERS * self._best(np.array(shared, dtype=np.float32), self._phrases_of)
        meant = _unit((meanings([question])[0] - self._averages[language_of(question)]) @ self._evened)
        closest = self._best(self._phrases @ meant, self._phrases_of)
        answer = self._best(self._answers @ meant, self._answers_of)
        return CLOSEST * closest + MIDDLE * (self._middles @ meant) + ANSWER * answer + WORDS * words

    def _best(self, scores: Scores, of: NDArray[np.intp]) -> Scores:
        """The best score of each entry's texts; 0 where it has none that fits at all."""
        best = np.zeros(len(self.keys), dtype=np.float32)
        np.maximum.at(best, of, scores)
        return best

    def _middle(self, phrases: Scores) -> Scores:
        """The average of each entry's phrases."""
        middles = np.zeros((len(self.keys), phrases.shape[1]), dtype=np.float32)
        np.add.at(middles, self._phrases_of, phrases)
        counts = np.bincount(self._phrases_of, minlength=len(self.keys))
        return np.asarray(middles / np.maximum(counts, 1)[:, None], dtype=np.float32)

    def _places(self, texts: Iterable[Text]) -> NDArray[np.intp]:
        return np.array([self._place[text.key] for text in texts], dtype=np.intp)


def _averages(texts: Sequence[Text]) -> dict[str, Scores]:
    """The average vector of each language. Taken off, it lets vectors differ by what is meant, not by the language."""
    return {language: _stack(text for text in texts if text.language == language).mean(axis=0)
            for language in {text.language for text in texts}}  # fmt: skip


def _centred(texts: Sequence[Text], averages: dict[str, Scores]) -> Scores:
    return _unit(_stack(texts) - np.stack([averages[text.language] for text in texts]))


def whiten(within: Scores) -> Scores:
    """What makes ways to ask the same differ alike in all directions: how something is said then counts less than what.

    Within-class covariance normalization (Hatch, Kajarekar, Stolcke: Interspeech 2006), C^(-1/2) of the covariance C of
    `within`, which are the phrases less the middle of their entry.
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
