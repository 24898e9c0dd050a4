"""Adaptation: fit a bundle to another scope or population, using unlabeled photographs.

`photographs` reads the operator's photographs, `observation` has the bundle's answers for them, `shares` the expected
frequency of each grade. `ordinal` fits levels to both; `batch_norm` and `domain` adapt networks and gate to the new
photographs; `adapt` builds the new bundle.
"""
