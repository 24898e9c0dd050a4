"""The models: labels and the type rule, registry, bundles, preprocessing, runtimes, predictor. No service in here."""

import os

# Threads of OpenMP wait for each other thousands of times in one network. By default they spin while they wait, and
# where other processes want the same cores that starves the very thread they wait for. Let them sleep instead.
# libgomp reads this once, when torch is first imported: so a program imports `ml` before torch.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
