"""The limit: the speed of the same cores or GPU in a large matrix product."""

from __future__ import annotations

import time

import torch

from ml.runtimes.device import choose_device

#: Side of the square matrices: large enough to keep all cores busy, small enough for a laptop's memory.
CPU_SIDE = 2048
CUDA_SIDE = 8192
MATRIX_REPEATS = 5


class MatrixProduct:
    """Products of square random matrices on one device."""

    def __init__(self, device: str) -> None:
        self.device = choose_device(device)

    def gflops(self, precision: str) -> float:
        """GFLOP/s of the fastest of several products; a multiplication and its addition count as two."""
        side = CPU_SIDE if self.device == "cpu" else CUDA_SIDE
        matrix = torch.rand(side, side, device=self.device).to(getattr(torch, precision))
        best = min(self._seconds(matrix) for _ in range(MATRIX_REPEATS))
        return 2 * side**3 / best / 1e9

    def _seconds(self, matrix: torch.Tensor) -> float:
        self._wait()
        started = time.perf_counter()
        torch.mm(matrix, matrix)
        self._wait()
        return time.perf_counter() - started

    def _wait(self) -> None:
        if self.device != "cpu":
            torch.cuda.synchronize(self.device)
