"""Broken and malicious uploads, made from seeds, and what the running service has to do with them.

`corpus()` names every case; `python -m tests.hostile` sends all of them, the tests a sample in which each family is.
"""
