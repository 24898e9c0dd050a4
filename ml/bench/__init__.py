"""The benchmark: several ways of running seven models on the same photos, in interleaved rounds.

This package needs no service; `tests/bench` adds servers over HTTP. `python -m ml bench` and `make bench` run them.
"""
