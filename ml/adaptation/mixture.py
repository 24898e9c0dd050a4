"""Mixture: whether photographs come from more than one scope, by the only sign that is clear.

A scope writes pictures of one size. Photographs of which many have one size and many another are those of two scopes,
or of one before and after it was set otherwise; each wants levels of its own. What the pictures show is no clear sign:
over 50 photographs, the share of the features' main direction that two clusters explain was .68 to .87 for one scope
and .61 to .85 for two, since full hair and bald skin differ as much as scopes do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ml.errors import AdaptationInvalid

#: A size that fewer photographs have, in number or as a share of all, is a stray.
_FEWEST = 5
_LEAST_SHARE = 0.1


def require_one_scope(sizes: Sequence[tuple[int, int]], *, allowed: bool) -> str | None:
    """Raise AdaptationInvalid where photographs of these widths and heights come from several scopes.

    Where that is `allowed`, say it in a sentence instead. Portrait and landscape are the same size. Photographs that
    nearly all have sizes of their own, as cropped ones do, give no sign.
    """
    counts = Counter((max(size), min(size)) for size in sizes)
    frequent = [(size, n) for size, n in counts.most_common() if n >= max(_FEWEST, _LEAST_SHARE * len(sizes))]
    if len(frequent) < 2:
        return None
    listed = ", ".join(f"{n} of {long}×{short} pixels" for (long, short), n in frequent)
    if not allowed:
        raise AdaptationInvalid(
            f"These photographs look like those of {len(frequent)} scopes: {listed}. Each scope wants a bundle of its "
            "own: adapt to one folder for each. If they are all of one scope, add --allow-mixed."
        )
    return f"The photographs were taken for those of one scope, though their sizes differ: {listed}."
