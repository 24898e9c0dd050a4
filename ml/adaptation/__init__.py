"""Adaptation: a bundle fitted to another scope or population, from photographs of it that nobody has labelled.

`photographs` are what an operator gives, `observation` is what the bundle says of them, `shares` how frequent each
grade is expected to be. `ordinal` fits levels to both; `batch_norm` and `distance` move networks and gate to the new
photographs; `adapted` puts a new bundle together.
"""
