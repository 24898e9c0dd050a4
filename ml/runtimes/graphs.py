"""The runtime for CUDA: half precision, channels last, batch-norms folded, and a captured graph a batch size."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from ml.runtimes import Look, Trunk
from ml.runtimes.eager import lay_out_channels_last
from ml.runtimes.folding import fold_batch_norms

#: How often a trunk runs before it is captured: cuDNN chooses its kernels and workspaces in the first ones
#: (https://docs.pytorch.org/docs/stable/notes/cuda.html#whole-network-capture).
_WARM_UP_RUNS = 3


class GraphsRuntime:
    """Trunks whose thousands of kernels are launched by one call. Written without a GPU at hand; see README, limits.

    A batch is filled up to the next power of two with photos of zeros, so that few graphs serve all sizes. They share
    one pool of memory, since only one runs at a time.
    """

    name = "graphs"
    lanes = 1
    precision = "float16"

    def __init__(self, device: str) -> None:
        """`device` is `cuda` or `cuda:N`."""
        self.device = device
        self._pool = torch.cuda.graph_pool_handle()

    def place(self, trunk: Trunk) -> Look:
        module = trunk.build().eval()
        fold_batch_norms(module)
        module = module.half()
        lay_out_channels_last(module)
        module.to(self.device)
        graphs: dict[int, Callable[[torch.Tensor], torch.Tensor]] = {}

        def look(batch: torch.Tensor) -> torch.Tensor:
            size = 1 << (len(batch) - 1).bit_length()
            if size not in graphs:
                graphs[size] = self._capture(module, (size, *batch.shape[1:]))
            return graphs[size](batch)[: len(batch)]

        return look

    def _capture(self, module: nn.Module, shape: tuple[int, ...]) -> Callable[[torch.Tensor], torch.Tensor]:
        """Replays the module over photos `[n, 3, size, size]` of float32 on the CPU, n at most that of the shape."""
        inputs = torch.zeros(shape, dtype=torch.float16, device=self.device)
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(self.device), torch.inference_mode():
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                for _ in range(_WARM_UP_RUNS):
                    module(inputs)
            torch.cuda.current_stream().wait_stream(stream)
            with torch.cuda.graph(graph, pool=self._pool):
                seen: torch.Tensor = module(inputs)

        def replay(batch: torch.Tensor) -> torch.Tensor:
            with torch.inference_mode():
                # From page-locked memory the copy overlaps with what the device still computes.
                inputs[: len(batch)].copy_(batch.pin_memory(), non_blocking=True)
                graph.replay()
            return seen

        return replay
