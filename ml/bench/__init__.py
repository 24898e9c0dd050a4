"""The benchmark: the same photos through several ways of running seven models, in interleaved rounds.

Here is what needs no service; `tests/bench` adds servers over HTTP. `python -m ml bench` and `make bench` run them.
"""
