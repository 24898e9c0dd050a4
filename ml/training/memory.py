"""How much of a batch goes through a network at once, so that training does not run out of memory."""

from __future__ import annotations

import gc
import logging
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import nn

from ml.errors import OutOfMemory
from ml.runtimes.device import call_guarded
from ml.training.activation_checkpointing import checkpoint_blocks
from ml.training.budget import create_budget, gibibytes

logger = logging.getLogger(__name__)

#: A smaller micro-batch is only used with checkpointing. That costs about a third more computation, but batch-norm
#: statistics over fewer pictures cost accuracy (Wu and He, arXiv 1803.08494, figure 1), and a GPU is not fully used.
MIN_MICRO_BATCH = 4


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """A batch goes through the network in `accumulate` slices of `micro_batch` pictures.

    `peak_bytes` is the peak of a step in a trial, None if the plan was not tried; `free_bytes` is the total that the
    process could use on the device.
    """

    micro_batch: int
    accumulate: int
    checkpointing: bool
    peak_bytes: int | None
    free_bytes: int

    @property
    def batch(self) -> int:
        """The pictures of one optimizer step."""
        return self.micro_batch * self.accumulate

    def smaller(self) -> MemoryPlan:
        """A plan with half the micro-batch or less, or with checkpointing. Raises OutOfMemory if there is none."""
        if self.micro_batch > 1:
            size = next(size for size in _divisors(self.batch) if size <= self.micro_batch // 2)
            return replace(self, micro_batch=size, accumulate=self.batch // size, peak_bytes=None)
        if not self.checkpointing:
            return replace(self, checkpointing=True, peak_bytes=None)
        raise _nothing_fits(self.free_bytes)

    def __str__(self) -> str:
        need = "" if self.peak_bytes is None else f"{gibibytes(self.peak_bytes)} of "
        return (
            f"micro-batch {self.micro_batch} × {self.accumulate} steps for a batch of {self.batch}, activation "
            f"checkpointing {'on' if self.checkpointing else 'off'}: {need}{gibibytes(self.free_bytes)}"
        )


def plan_memory(
    measure: Callable[[int, bool], None], batch: int, *, device: str = "cpu", memory_limit: int | None = None
) -> MemoryPlan:
    """Find the largest micro-batch whose training step fits into the device's free memory, by trial.

    `measure(micro_batch, checkpointing)` runs one whole training step of that many pictures: forward, backward and
    optimizer, with its gradients and states. It leaves weights and states unchanged. `memory_limit` in bytes simulates
    a smaller device.

    The whole batch is tried first, which is usually enough, then its divisors, so that all slices are equal: choose a
    batch size with many divisors. Fewer than `MIN_MICRO_BATCH` pictures at once are only chosen with activation
    checkpointing. The random state does not change. Raises OutOfMemory if nothing fits.
    """
    budget = create_budget(device, memory_limit)
    peaks: dict[int, int] = {}

    def fits(size: int) -> bool:
        try:
            peaks[size] = budget.peak(partial(measure, size, checkpointing))
        except OutOfMemory:
            return False
        return True

    with torch.random.fork_rng(devices=[torch.device(device)] if device.startswith("cuda") else []):
        for checkpointing in (False, True):
            sizes = [size for size in _divisors(batch) if checkpointing or size >= min(MIN_MICRO_BATCH, batch)]
            first = 0 if fits(batch) else bisect_left(sizes, True, lo=1, key=fits)
            if first < len(sizes):
                size = sizes[first]
                return MemoryPlan(size, batch // size, checkpointing, peaks[size], budget.free_bytes)
    raise _nothing_fits(budget.free_bytes)


class MicroBatches:
    """Runs training steps in the slices of a plan, and in smaller ones after running out of memory.

    The gradients are those of the whole batch, up to rounding, if the loss is a mean over pictures. Batch-norm is the
    exception: it normalizes by the slice, and updates its running statistics with each.
    """

    def __init__(self, network: nn.Module, plan: MemoryPlan) -> None:
        self.plan = plan
        self._network = network
        checkpoint_blocks(network, plan.checkpointing)

    def step(
        self,
        batch: Sequence[torch.Tensor],
        run: Callable[..., torch.Tensor],
        backward: Callable[[torch.Tensor], object] = torch.Tensor.backward,
    ) -> torch.Tensor:
        """Compute the gradients of this batch, and return its mean loss, a detached scalar.

        `batch` are tensors of the same length, at most that of the plan: each is sliced. `run(*slices)` returns the
        mean loss of a slice; `backward` may scale it, for mixed precision. After an OutOfMemory the step restarts with
        a smaller plan, from the same random state and the same buffers, with a warning. Raises OutOfMemory if there is
        no smaller plan.
        """
        device = next(self._network.parameters()).device
        start = _State(self._network, device)
        while True:
            self._network.zero_grad()
            try:
                return call_guarded(str(device), partial(self._accumulate, batch, run, backward))
            except OutOfMemory:
                self.plan = self.plan.smaller()
            gc.collect()
            start.restore()
            checkpoint_blocks(self._network, self.plan.checkpointing)
            logger.warning("Out of memory in a training step; repeating it with %s", self.plan)

    def _accumulate(
        self,
        batch: Sequence[torch.Tensor],
        run: Callable[..., torch.Tensor],
        backward: Callable[[torch.Tensor], object],
    ) -> torch.Tensor:
        length = len(batch[0])
        pieces = -(-length // self.plan.micro_batch)
        total = torch.zeros((), device=next(self._network.parameters()).device)
        for slices in zip(*(tensor.tensor_split(pieces) for tensor in batch), strict=True):
            loss = run(*slices) * (len(slices[0]) / length)
            backward(loss)
            total += loss.detach()
        return total


class _State:
    """The buffers of a network and the random state, to restart a step."""

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        self._buffers = [(buffer, buffer.clone()) for buffer in network.buffers()]
        self._random = torch.get_rng_state()
        self._cuda = (device, torch.cuda.get_rng_state(device)) if device.type == "cuda" else None

    def restore(self) -> None:
        for buffer, value in self._buffers:
            buffer.copy_(value)
        torch.set_rng_state(self._random)
        if self._cuda is not None:
            device, state = self._cuda
            torch.cuda.set_rng_state(state, device)


def _divisors(number: int) -> list[int]:
    return [divisor for divisor in range(number, 0, -1) if number % divisor == 0]


def _nothing_fits(free_bytes: int) -> OutOfMemory:
    return OutOfMemory(
        f"Not even one picture at a time fits into {gibibytes(free_bytes)} with activation checkpointing. Use a "
        "smaller image size or architecture, or free memory on the device."
    )
