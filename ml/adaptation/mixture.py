"""Detect photographs from more than one scope, by their sizes.

A scope writes pictures of one size. If many photographs have one size and many another, they are from two scopes, or
from one whose settings changed; each needs its own levels. The content of the pictures is not a clear sign: over 50
photographs, two clusters explained a share of the features' main direction of .68 to .87 for one scope and of .61 to
.85 for two, because full hair and bald skin differ as much as scopes do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ml.errors import AdaptationInvalid

#: Sizes with fewer photographs, in number or as a share of all, are ignored.
_MIN_PHOTOS_PER_SIZE = 5
_MIN_SHARE_PER_SIZE = 0.1


def require_one_scope(sizes: Sequence[tuple[int, int]], *, allowed: bool) -> str | None:
    """Raise AdaptationInvalid if photographs of these widths and heights come from several scopes.

    If that is `allowed`, return a sentence about it instead. Portrait and landscape count as the same size. Nothing can
    be detected if nearly all sizes differ, as those of cropped photographs.
    """
    counts = Counter((max(size), min(size)) for size in sizes)
    frequent = [
        (size, n)
        for size, n in counts.most_common()
        if n >= max(_MIN_PHOTOS_PER_SIZE, _MIN_SHARE_PER_SIZE * len(sizes))
    ]
    if len(frequent) < 2:
        return None
    listed = ", ".join(f"{n} of {long}×{short} pixels" for (long, short), n in frequent)
    if not allowed:
        raise AdaptationInvalid(
            f"These photographs seem to be from {len(frequent)} scopes: {listed}. Each scope needs its own bundle: "
            "adapt to one folder per scope. If they are all from one scope, add --allow-mixed."
        )
    return f"The photographs were treated as from one scope, although their sizes differ: {listed}."
