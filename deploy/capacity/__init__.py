"""Estimates the devices, cores, databases and brokers that a load needs: `python -m deploy.capacity --help`.

`formulas` is queueing theory, `simulation` runs event by event, `figures` reads measurements, `plan` sizes the parts.
Nothing of the service is imported here.
"""
