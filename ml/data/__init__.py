"""Data sets and synthetic pictures."""
