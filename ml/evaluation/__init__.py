"""Evaluation: measure and calibrate the answers of a run or a bundle on labeled pictures, and write the results."""
