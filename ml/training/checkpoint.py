"""Checkpoints: the complete state of a training in one safetensors file, to resume it exactly."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from ml.errors import RunInvalid

CHECKPOINT_FILE = "checkpoint.safetensors"


@dataclass(slots=True)
class Progress:
    """The progress of a training.

    `identity` distinguishes trainings. `step` counts the finished batches of `epoch`, `loss_sum` is the sum of their
    losses, `epoch_seconds` of their times; `seconds` is the time of the whole training. `best_epoch` has the best
    `monitor` so far. `plan` is the memory plan as numbers, since another micro-batch would change batch-norm
    statistics. `scaler` is that of mixed precision. `history` has one row per epoch.
    """

    identity: str
    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    epoch_seconds: float = 0.0
    seconds: float = 0.0
    best_epoch: int = -1
    best_score: float = float("-inf")
    stopped_early: bool = False
    plan: dict[str, Any] = field(default_factory=dict)
    scaler: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)

    def begin_epoch(self, epoch: int) -> None:
        """Start counting steps, losses and seconds of this epoch from 0."""
        self.epoch, self.step, self.loss_sum, self.epoch_seconds = epoch, 0, 0.0, 0.0


def save_checkpoint(
    folder: Path, progress: Progress, networks: dict[str, nn.Module], optimizer: torch.optim.Optimizer
) -> None:
    """Write a checkpoint atomically.

    The state dicts of `networks` are stored under their names, which must not contain `/`.
    """
    tensors = {
        f"{name}/{key}": value for name, network in networks.items() for key, value in network.state_dict().items()
    }
    state = optimizer.state_dict()["state"]
    tensors |= {f"optimizer/{index}/{key}": value for index, each in state.items() for key, value in each.items()}
    path = folder / CHECKPOINT_FILE
    draft = path.with_suffix(".tmp")
    # Clones, since safetensors refuses tensors that share memory.
    save_file(
        {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()},
        draft,
        {"progress": json.dumps(asdict(progress))},
    )
    draft.replace(path)


def load_checkpoint(folder: Path, networks: dict[str, nn.Module], optimizer: torch.optim.Optimizer) -> Progress | None:
    """Load a checkpoint into the networks and the optimizer; None if there is none. Raises RunInvalid."""
    path = folder / CHECKPOINT_FILE
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            progress = Progress(**json.loads(file.metadata()["progress"]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - safe_open is not a mapping.
        for name, network in networks.items():
            network.load_state_dict(_below(tensors, f"{name}/"))
        states: dict[int, dict[str, torch.Tensor]] = {}
        # Checkpoints of earlier versions have the second spelling.
        moments = _below(tensors, "optimizer/") or _below(tensors, "optimiser/")
        for name, tensor in moments.items():
            index, _, key = name.partition("/")
            states.setdefault(int(index), {})[key] = tensor
        optimizer.load_state_dict({**optimizer.state_dict(), "state": states})
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise RunInvalid(
            f"{path} is not a checkpoint of this training: {error}. Delete {folder} to start over."
        ) from error
    return progress


def _below(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
