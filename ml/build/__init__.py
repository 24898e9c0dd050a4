"""Ways to a bundle: from training runs, from seeds, from weights of an earlier system."""
