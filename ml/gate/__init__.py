"""The gate: whether a photo shows a scalp close enough, by a linear head and a distance on the features of one network.

A photo passes where the head's probability of "scalp" is at least the threshold and the distance at most 1. The others
are refused, as too far away or as no scalp, whichever the head holds likelier. Hairy skin elsewhere on the body counts
as no scalp: every grade and all figures are about scalps, and an answer with a warning is read as an answer. What the
predictor needs is named here; `fit` fits a gate, `pictures` is what it learns from, `gate` keeps one as a folder.
"""

from ml.gate.distance import LIMIT, admits, distances, extra_tensors, grown_distance

__all__ = ["LIMIT", "admits", "distances", "extra_tensors", "grown_distance"]
