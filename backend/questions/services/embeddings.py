"""Embeddings of the entries: stored in a file, and computed for texts that the file lacks.

Computing all 5,000 takes minutes, so the repository has them: `load_questions --write-meanings` writes the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.questions.retrieval.embedding import embed, model_is_installed

STORED_EMBEDDINGS_PATH = Path(__file__).resolve().parent.parent / "entries" / "meanings.npz"
ENCODE_BATCH_SIZE = 50  #: texts per call of the model


def embed_texts(texts: Sequence[str]) -> list[bytes | None]:
    """Each text's embedding as 384 float32, a unit vector; None if it isn't stored and the model isn't installed."""
    known = _stored_vectors()
    found: dict[str, NDArray[np.float32]] = {text: known[_digest(text)] for text in texts if _digest(text) in known}
    missing = [text for text in texts if text not in found]
    if missing and model_is_installed():
        found |= dict(zip(missing, _encode(missing), strict=True))
    return [found[text].astype(np.float32).tobytes() if text in found else None for text in texts]


def has_stored_embedding(text: str) -> bool:
    return _digest(text) in _stored_vectors()


def write_embeddings(texts: Iterable[str], path: Path = STORED_EMBEDDINGS_PATH) -> int:
    """Store the embeddings of these texts, one byte per number, reusing those in the file; returns how many.

    Raises RuntimeError if one is missing and the model is not installed.
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
        for row in embed(texts[begin : begin + ENCODE_BATCH_SIZE])
    ]


@lru_cache(1)
def _stored_vectors() -> Mapping[int, NDArray[np.float32]]:
    if not STORED_EMBEDDINGS_PATH.exists():
        return {}
    with np.load(STORED_EMBEDDINGS_PATH, allow_pickle=False) as file:
        digests, vectors = file["digests"], file["vectors"].astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return dict(zip(map(int, digests), vectors, strict=True))


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
