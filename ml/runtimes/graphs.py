"""The runtime for CUDA: half precision, channels last, batch-norms folded, and one captured graph per batch size."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from ml.runtimes import Forward, Trunk
from ml.runtimes.eager import lay_out_channels_last
from ml.runtimes.folding import fold_batch_norms

#: Runs before a trunk is captured: cuDNN chooses its kernels and workspaces in the first ones
#: (https://docs.pytorch.org/docs/stable/notes/cuda.html#whole-network-capture).
_WARM_UP_RUNS = 3


class GraphsRuntime:
    """Launches the thousands of kernels of a trunk with one call. See the limits in README.

    A batch is padded with zeros to the next power of two, so that a few graphs serve all sizes. They share one memory
    pool, since only one runs at a time.
    """

    name = "graphs"
    lanes = 1
    precision = "float16"
    lossy = False
    version = f"torch {torch.__version__}"

    def __init__(self, device: str) -> None:
        """`device` is `cuda` or `cuda:N`."""
        self.device = device
        self._pool = torch.cuda.graph_pool_handle()

    def load(self, trunk: Trunk) -> Forward:
        """Move the trunk to the device; a graph is captured for each power of two of the batch when it first occurs."""
        module = trunk.build().eval()
        fold_batch_norms(module)
        module = module.half()
        lay_out_channels_last(module)
        module.to(self.device)
        graphs: dict[int, Callable[[torch.Tensor], torch.Tensor]] = {}

        def forward(batch: torch.Tensor) -> torch.Tensor:
            size = 1 << (len(batch) - 1).bit_length()
            if size not in graphs:
                graphs[size] = self._capture(module, (size, *batch.shape[1:]))
            return graphs[size](batch)[: len(batch)]

        return forward

    def _capture(self, module: nn.Module, shape: tuple[int, ...]) -> Callable[[torch.Tensor], torch.Tensor]:
        """A function that replays the module on float32 photos on the CPU, at most as many as `shape` has."""
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
                features: torch.Tensor = module(inputs)

        def replay(batch: torch.Tensor) -> torch.Tensor:
            with torch.inference_mode():
                # From page-locked memory the copy overlaps with work that is still running on the device.
                inputs[: len(batch)].copy_(batch.pin_memory(), non_blocking=True)
                graph.replay()
            return features

        return replay
