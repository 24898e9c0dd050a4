"""How many devices, cores, databases and brokers so many photos a second need: `python -m deploy.capacity --help`.

`formulas` on paper, `simulation` event by event, `figures` for what was measured and where, `plan` for the parts.
Nothing of the service is imported here.
"""
