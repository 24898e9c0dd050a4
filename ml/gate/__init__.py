"""The gate decides whether a photo is a close-up of a scalp, by a linear head and a distance on a network's features.

A photo passes if the head's probability of "scalp" is at least the threshold and the distance is at most 1. Others are
rejected as too far away or as not a scalp, whichever the head considers likelier. Hairy skin elsewhere on the body is
not a scalp: all grades and figures are about scalps, and people would read an answer with a warning as an answer. The
predictor needs only what is exported here; `make` and `fit` fit a gate to `pictures`, `gate` stores it in a folder.
"""

from ml.gate.distance import DISTANCE_LIMIT, admits, distances, extra_tensors, grown_distance

__all__ = ["DISTANCE_LIMIT", "admits", "distances", "extra_tensors", "grown_distance"]
