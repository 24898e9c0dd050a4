"""The fault matrix: whatever breaks under load, no analysis is lost and none is done twice.

`make chaos` runs the long form, `make test` a short one over the same catalog.

| module | holds |
|---|---|
| `faults` | the catalog: a sentence, what is done to the running service, what must hold beside the invariant |
| `supervised_stack` | the service under test, kept running as a supervisor would, and mended after each fault |
| `load` | phones that send photos at a steady pace and poll |
| `ledger` | what the database, the storage and the logs say in the end: the one invariant |
| `matrix` | one fault under load, and the table of all |
| `points`, `parts` | how a fault gets to a precise point inside a process |
"""
