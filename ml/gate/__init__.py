"""The gate: whether a photo shows a scalp, by a linear head and by a distance, both on the features of one network.

A photo passes where the head's probability of "scalp" is at least the threshold and the distance at most 1. What the
predictor needs is named here; `fit` fits a gate, `pictures` is what it learns from, `gate` keeps one as a folder.
"""

from ml.gate.distance import LIMIT, admits, distances, extra_tensors, grown_distance

__all__ = ["LIMIT", "admits", "distances", "extra_tensors", "grown_distance"]
