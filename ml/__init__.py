import os

# Threads of OpenMP wait for each other thousands of times in one network. By default they spin while they wait, and
# where other processes want the same cores that starves the very thread they wait for: seven B0s on one photo took
# 10 s on two busy cores, 0.2 s with threads that sleep. libgomp reads this once, when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
