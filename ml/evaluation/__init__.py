"""Evaluation: how good a run's or a bundle's answers are on labelled pictures, how sure they may sound, in files."""
