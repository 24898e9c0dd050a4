"""Networks by name, and initial weights: seeded, from ImageNet, or grown from a smaller network."""
