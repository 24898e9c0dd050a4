"""The models: labels and the type rule, networks, bundles, runtimes, predictor, training and evaluation.

Usable without the service, as in a notebook.
"""

import os

# OpenMP threads wait for each other thousands of times per network. By default they spin, and where other processes use
# the same cores, that starves the very thread they wait for. Let them sleep instead. libgomp reads this once, when
# torch is first imported: so a program must import `ml` before torch.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
