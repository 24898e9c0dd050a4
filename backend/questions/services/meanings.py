"""The meanings of texts: those of our entries lie in a file, others are worked out where the model is.

To work out all 5,000 takes minutes, and nobody should wait for that: `load_questions --write-meanings` writes them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.questions.retrieval.meaning import meaning_there, meanings

PATH = Path(__file__).resolve().parent.parent / "entries" / "meanings.npz"
ENCODE_BATCH_SIZE = 50  #: texts that the model is given at a time


def text_vectors(texts: Sequence[str]) -> list[bytes | None]:
    """Each text's meaning as 384 float32 numbers of length 1; None where there is neither a known one nor the model."""
    known = _stored_vectors()
    found: dict[str, NDArray[np.float32]] = {text: known[_digest(text)] for text in texts if _digest(text) in known}
    missing = [text for text in texts if text not in found]
    if missing and meaning_there():
        found |= dict(zip(missing, _encode(missing), strict=True))
    return [found[text].astype(np.float32).tobytes() if text in found else None for text in texts]


def has_stored_vector(text: str) -> bool:
    return _digest(text) in _stored_vectors()


def write_meanings(texts: Iterable[str], path: Path = PATH) -> int:
    """Write the meanings of these texts, a byte a number, without working out again what is known; how many.

    Raises RuntimeError where the model is not there.
    """
    wanted = sorted(set(texts), key=_digest)
    known = _stored_vectors()
    missing = [text for text in wanted if _digest(text) not in known]
    new = dict(zip(missing, _encode(missing), strict=True)) if missing else {}
    vectors = np.stack([new[text] if text in new else known[_digest(text)] for text in wanted])
    bytes_ = np.round(127 * vectors / np.abs(vectors).max(axis=1, keepdims=True)).astype(np.int8)
    digests = np.array([_digest(text) for text in wanted], dtype=np.uint64)
    np.savez_compressed(path, digests=digests, vectors=bytes_)
    _stored_vectors.cache_clear()
    return len(wanted)


def _encode(texts: Sequence[str]) -> list[NDArray[np.float32]]:
    return [
        row
        for begin in range(0, len(texts), ENCODE_BATCH_SIZE)
        for row in meanings(texts[begin : begin + ENCODE_BATCH_SIZE])
    ]


@lru_cache(1)
def _stored_vectors() -> Mapping[int, NDArray[np.float32]]:
    if not PATH.exists():
        return {}
    with np.load(PATH, allow_pickle=False) as file:
        digests, vectors = file["digests"], file["vectors"].astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return dict(zip(map(int, digests), vectors, strict=True))


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
