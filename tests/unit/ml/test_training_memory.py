"""Memory in training: plans by trying, micro-batches that add up, activation checkpointing that changes nothing."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from ml.errors import ModelError, OutOfMemory
from ml.networks.registry import create_network
from ml.training.activation_checkpointing import checkpoint_blocks
from ml.training.budget import control_group_headroom
from ml.training.memory import MIN_MICRO_BATCH, MemoryPlan, MicroBatches, plan_memory

GIB = 2**30


class OutOfMemoryAt(nn.Module):
    """A network that runs out of memory in the calls that `fails` names by their number and length."""

    def __init__(self, network: nn.Module, fails: Callable[[int, int], bool]) -> None:
        super().__init__()
        self.network = network
        self.fails = fails
        self.calls = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        if self.fails(self.calls, len(x)):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
        return self.network(x)


def plan_of(micro_batch: int, accumulate: int, checkpointing: bool = False) -> MemoryPlan:
    return MemoryPlan(micro_batch, accumulate, checkpointing, peak_bytes=GIB, free_bytes=2 * GIB)


def small_network(norm: bool = False) -> nn.Module:
    torch.manual_seed(3)
    layers = [nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8) if norm else nn.SiLU(), nn.Dropout(0.5 if norm else 0.0)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)).train()


def batch_of(count: int, size: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    return torch.randn(count, 3, size, size, generator=generator), torch.randint(4, (count,), generator=generator)


def loss_with(network: nn.Module) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    return lambda pictures, grades: functional.cross_entropy(network(pictures), grades)


def gradients(network: nn.Module) -> list[torch.Tensor]:
    return [parameter.grad.clone() for parameter in network.parameters()]


def training_step(network: nn.Module, pictures: int, size: int) -> None:
    """Forward, backward and an optimizer step on a copy: the network itself stays as it is."""
    network = copy.deepcopy(network)
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.rand(pictures, 3, size, size)).square().mean().backward()
    optimizer.step()


# Activation checkpointing


@pytest.mark.parametrize("architecture", ["efficientnet-b0", "efficientnet-lite0", "efficientnet-v2-s"])
def test_checkpointing_changes_no_loss_gradient_or_batch_norm_statistic(architecture: str) -> None:
    torch.manual_seed(1)
    plain = create_network(architecture, 4, 64).train()
    checkpointed = copy.deepcopy(plain)
    checkpoint_blocks(checkpointed)
    pictures, grades = batch_of(2, 64)
    losses = []
    for network in (plain, checkpointed):
        torch.manual_seed(2)  # Both drop the same blocks and features.
        losses.append(loss_with(network)(pictures, grades))
        losses[-1].backward()
    assert torch.equal(*losses)
    for one, other in zip(gradients(plain), gradients(checkpointed), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)
    before, after = plain.state_dict(), checkpointed.state_dict()
    assert list(before) == list(after)
    counters = [name for name in before if name.endswith("num_batches_tracked")]
    assert counters
    assert all(after[name] == 1 for name in counters)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_checkpointing_more_than_halves_saved_activations_until_turned_off() -> None:
    network = create_network("efficientnet-b0", 4, 64).train()
    parameters = {parameter.data_ptr() for parameter in network.parameters()}

    def saved_bytes() -> int:
        storages: dict[int, int] = {}

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            output = network(torch.rand(4, 3, 64, 64))
        assert output.requires_grad
        return sum(size for pointer, size in storages.items() if pointer not in parameters)

    plain = saved_bytes()
    checkpoint_blocks(network)
    checkpoint_blocks(network)
    assert saved_bytes() < plain / 2
    checkpoint_blocks(network, enabled=False)
    assert saved_bytes() == plain


def test_a_deep_copy_of_a_checkpointed_network_runs_on_its_own_weights() -> None:
    network = create_network("efficientnet-b0", 4, 64).train()
    checkpoint_blocks(network)
    twin = copy.deepcopy(network)
    loss_with(twin)(*batch_of(2, 64)).backward()
    assert all(parameter.grad is not None for parameter in twin.parameters())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_a_network_without_blocks_is_refused() -> None:
    with pytest.raises(ValueError, match="Sequential has no blocks"):
        checkpoint_blocks(small_network())


# The plan


@pytest.mark.parametrize(
    ("batch", "plain_fits", "checkpointed_fits", "micro_batch", "checkpointing"),
    [
        (32, 40, 400, 32, False),
        (32, 31, 400, 16, False),
        (24, 10, 400, 8, False),
        (32, MIN_MICRO_BATCH, 400, MIN_MICRO_BATCH, False),
        (32, MIN_MICRO_BATCH - 1, 400, 32, True),
        (32, 0, 17, 16, True),
        (32, 0, 1, 1, True),
        (31, 30, 30, 1, True),
        (2, 2, 400, 2, False),
        (1, 0, 1, 1, True),
    ],
)
def test_the_plan_takes_the_largest_divisor_that_fits(
    batch: int, plain_fits: int, checkpointed_fits: int, micro_batch: int, checkpointing: bool
) -> None:
    def measure(pictures: int, checkpointed: bool) -> None:
        if pictures > (checkpointed_fits if checkpointed else plain_fits):
            raise torch.OutOfMemoryError("CUDA out of memory.")

    plan = plan_memory(measure, batch)
    assert (plan.micro_batch, plan.checkpointing) == (micro_batch, checkpointing)
    assert plan.batch == batch


def test_a_batch_that_fits_is_tried_once_and_leaves_the_random_state_alone() -> None:
    tries = []

    def measure(pictures: int, checkpointing: bool) -> None:
        tries.append((pictures, checkpointing, torch.rand(3)))

    before = torch.get_rng_state()
    plan_memory(measure, 32)
    assert [one[:2] for one in tries] == [(32, False)]
    assert torch.equal(torch.get_rng_state(), before)


def test_where_nothing_fits_the_error_says_what_to_change() -> None:
    def measure(pictures: int, checkpointing: bool) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:128] DefaultCPUAllocator: can't allocate memory")

    with pytest.raises(OutOfMemory, match=r"Not even one picture .* smaller image size or architecture"):
        plan_memory(measure, 8)


def test_another_failure_of_the_step_is_not_taken_for_a_lack_of_memory() -> None:
    def measure(pictures: int, checkpointing: bool) -> None:
        torch.zeros(2, 3) @ torch.zeros(2, 3)

    with pytest.raises(ModelError, match="cannot be multiplied") as raised:
        plan_memory(measure, 8)
    assert not isinstance(raised.value, OutOfMemory)


def test_a_plan_reads_as_a_sentence() -> None:
    plan = MemoryPlan(2, 16, True, peak_bytes=int(13.1 * GIB), free_bytes=int(14.75 * GIB))
    assert str(plan) == (
        "micro-batch 2 × 16 steps for a batch of 32, activation checkpointing on: 13.1 GiB of 14.75 GiB"
    )
    assert str(plan.smaller()).startswith("micro-batch 1 × 32 steps for a batch of 32, activation checkpointing on")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_cuda_the_plan_keeps_to_the_memory_limit() -> None:
    network = create_network("efficientnet-b0", 4, 224).train().cuda()
    limit = GIB

    def measure(pictures: int, checkpointing: bool) -> None:
        checkpoint_blocks(network, checkpointing)
        twin = copy.deepcopy(network)
        twin(torch.rand(pictures, 3, 224, 224, device="cuda")).square().mean().backward()

    try:
        plan = plan_memory(measure, 64, device="cuda", memory_limit=limit)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert plan.micro_batch < 64
    assert plan.peak_bytes is not None
    assert plan.peak_bytes <= limit


# The CPU's memory, watched. In processes of their own: memory that earlier tests left to the allocator would count.

STEP = """
import re, torch
from functools import partial
from pathlib import Path
from ml.errors import OutOfMemory
from ml.networks.registry import create_network
from ml.training.budget import CPU_HEADROOM, create_budget, resident_bytes
from ml.training.activation_checkpointing import checkpoint_blocks
from ml.training.memory import plan_memory
torch.set_num_threads(1)
network = create_network("efficientnet-b0", 4, 128).train().to(memory_format=torch.channels_last)
before = resident_bytes()
def measure(pictures, checkpointing):
    checkpoint_blocks(network, checkpointing)
    network(torch.rand(pictures, 3, 128, 128)).square().mean().backward()
    torch.optim.AdamW(network.parameters()).step()
    network.zero_grad()
"""
MEASURED = """
peak = plan_memory(measure, 8).peak_bytes
# Of this program alone: the peak that getrusage knows began with the process that started it.
high_water = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024
print(peak - before, high_water - before)
"""
LIMITED = """
# Half-way between one picture and sixteen, on this machine: what a step needs depends on the kernels for its processor.
unlimited = create_budget("cpu")
measure(1, False)
least, most = (unlimited.peak(partial(measure, size, True)) for size in (1, 16))
limit = int((least + most) / 2 / (1 - CPU_HEADROOM))
plan = plan_memory(measure, 16, memory_limit=limit)
print(plan.micro_batch, plan.checkpointing, plan.free_bytes == limit, plan.peak_bytes <= limit * (1 - CPU_HEADROOM))
try:
    plan_memory(measure, 16, memory_limit=before // 2)
except OutOfMemory as error:
    print(error)
"""


def output_of(code: str) -> str:
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    return child.stdout


def test_the_peak_that_a_plan_states_is_what_the_process_grew_to() -> None:
    stated, measured = map(int, output_of(STEP + MEASURED).split())
    assert stated == pytest.approx(measured, rel=0.15)


def test_steps_over_the_memory_limit_are_ended_and_a_smaller_one_is_found() -> None:
    chosen, refusal = output_of(STEP + LIMITED).splitlines()
    micro_batch, *flags = chosen.split()
    assert 1 <= int(micro_batch) < 16
    assert flags[1:] == ["True", "True"]
    assert refusal.startswith("Not even one picture at a time fits into")


@pytest.mark.parametrize(
    ("membership", "folder", "limit", "usage", "droppable"),
    [
        ("0::/user/training", "user", "memory.max", "memory.current", "inactive_file"),
        (
            "4:memory:/user/training",
            "memory/user",
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            "total_inactive_file",
        ),
    ],
    ids=["version 2", "version 1"],
)
def test_the_limit_of_a_control_group_binds_the_groups_below_it(
    tmp_path: Path, membership: str, folder: str, limit: str, usage: str, droppable: str
) -> None:
    group = tmp_path / folder / "training"
    group.mkdir(parents=True)
    for path, most in ((group, "max\n" if limit == "memory.max" else f"{2**63 - 4096}\n"), (group.parent, "1000\n")):
        (path / limit).write_text(most)
        (path / usage).write_text("700\n")
        (path / "memory.stat").write_text(f"active_file 5\n{droppable} 200\n")
    (tmp_path / "cgroup").write_text(f"1:cpu:/\n{membership}\n")
    assert min(control_group_headroom(tmp_path / "cgroup", tmp_path)) == 1000 - 700 + 200


# Micro-batches


@pytest.mark.parametrize("micro_batch", [10, 5, 2, 1])
@pytest.mark.parametrize("length", [10, 7])
def test_gradients_of_micro_batches_add_up_to_those_of_the_batch(micro_batch: int, length: int) -> None:
    network = small_network()
    batch = batch_of(length)
    whole = loss_with(network)(*batch)
    whole.backward()
    expected = gradients(network)
    loss = MicroBatches(network, plan_of(micro_batch, 10 // micro_batch)).step(batch, loss_with(network))
    torch.testing.assert_close(loss, whole.detach())
    for one, other in zip(gradients(network), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-7)


def test_a_step_retried_after_out_of_memory_equals_one_begun_smaller(
    caplog: pytest.LogCaptureFixture,
) -> None:
    batch = batch_of(8)
    results = []
    # The first of two slices has left gradients, statistics and random numbers behind when the second one fails.
    for plan, fails in ((plan_of(4, 2), lambda call, length: call == 2), (plan_of(2, 4), lambda call, length: False)):
        network = OutOfMemoryAt(small_network(norm=True), fails)
        torch.manual_seed(7)
        steps = MicroBatches(network, plan)
        losses = [steps.step(batch, loss_with(network)) for _ in range(2)]
        results.append((*losses, *gradients(network), *network.buffers(), torch.get_rng_state()))
        assert (steps.plan.micro_batch, steps.plan.accumulate) == (2, 4)
    assert all(torch.equal(one, other) for one, other in zip(*results, strict=True))
    assert [record.message for record in caplog.records] == [
        "Out of memory in a training step; repeating it with micro-batch 2 × 4 steps for a batch of 8, activation "
        "checkpointing off: 2 GiB"
    ]


def test_one_picture_that_does_not_fit_gets_checkpointing_then_an_error() -> None:
    network = OutOfMemoryAt(create_network("efficientnet-b0", 4, 64).train(), lambda call, length: call == 1)
    steps = MicroBatches(network, plan_of(1, 2))
    steps.step(batch_of(2, 64), loss_with(network))
    assert steps.plan.checkpointing
    network.fails = lambda call, length: True
    with pytest.raises(OutOfMemory, match="Not even one picture"):
        steps.step(batch_of(2, 64), loss_with(network))


def test_a_scaled_backward_scales_the_gradients_and_not_the_loss() -> None:
    network = small_network()
    steps = MicroBatches(network, plan_of(2, 2))
    loss = steps.step(batch_of(4), loss_with(network))
    plain = gradients(network)
    assert torch.equal(steps.step(batch_of(4), loss_with(network), lambda loss: (loss * 8).backward()), loss)
    for one, other in zip(gradients(network), plain, strict=True):
        torch.testing.assert_close(one, other * 8)
