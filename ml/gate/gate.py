"""A fitted gate as a folder: `gate.json` with its facts, `gate.safetensors` with its head and its distance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from ml.errors import GateInvalid
from ml.gate.distance import extra_tensors, grown_distance
from ml.networks.growth import LITE0, grow
from ml.networks.imagenet import imagenet_weights
from ml.networks.registry import RGB, Weights, describe, tensor_shapes
from ml.preprocessing import Preprocessing

GATE_FILE, WEIGHTS_FILE = "gate.json", "gate.safetensors"

_HEAD = ("_fc.weight", "_fc.bias")


class GateFacts(BaseModel):
    """The content of `gate.json`.

    `classes` is the number of outcomes (`ml.labels.GateClass`); older gates have two. `trunk` names the lite0 weights
    below the head; `threshold` is the lowest probability of "scalp" that passes; `metrics` are figures on held-out
    pictures; `outcomes`, if it was cross-validated, counts the pictures of each source by the answer of the gate that
    was fitted without their fold.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    trunk: Literal["imagenet"] = "imagenet"
    classes: Literal[2, 3] = 2
    image_size: int = Field(ge=32, le=1024)
    mean: RGB
    std: RGB
    threshold: float = Field(gt=0, lt=1)
    trained_on: str
    metrics: dict[str, float] = {}
    outcomes: dict[str, dict[str, int]] = {}

    @property
    def preprocessing(self) -> Preprocessing:
        """What a photo must become for this gate."""
        return Preprocessing(self.image_size, self.mean, self.std)


@dataclass(frozen=True, slots=True)
class Gate:
    """Facts and tensors of a fitted gate, in terms of lite0."""

    facts: GateFacts
    tensors: Weights

    @classmethod
    def open(cls, folder: Path) -> Gate:
        """Raises GateInvalid if the folder has no gate or a damaged one."""
        try:
            facts = GateFacts.model_validate_json((folder / GATE_FILE).read_bytes())
            tensors = load_file(folder / WEIGHTS_FILE)
        except (OSError, ValidationError, SafetensorError) as error:
            raise GateInvalid(
                f"{folder} has no complete gate: {error}. Make one with `python -m ml gate fit`."
            ) from error
        if {name: tuple(tensor.shape) for name, tensor in tensors.items()} != _shapes(facts.classes):
            raise GateInvalid(f"{folder / WEIGHTS_FILE} does not have the tensors of a gate. Fit it again.")
        return cls(facts, tensors)

    def save(self, folder: Path) -> None:
        """Write the two files; an earlier gate in the folder is replaced."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file({name: tensor.contiguous() for name, tensor in self.tensors.items()}, folder / WEIGHTS_FILE)
        (folder / GATE_FILE).write_text(self.facts.model_dump_json(indent=1) + "\n", encoding="utf-8")

    def weights(self, architecture: str) -> Weights:
        """Complete float32 weights of the gate as this architecture, with the tensors of its distance.

        As B7 it has lite0's answers; B0 and B1 can't clip, so theirs differ slightly. Raises ValueError for an
        architecture that lite0 can't grow into, WeightsUnreadable if the ImageNet weights are not installed.
        """
        lite = {**imagenet_weights(), **{name: self.tensors[name] for name in _HEAD}}
        network = lite if architecture == LITE0 else grow(lite, architecture)
        return {**network, **grown_distance(self.tensors, architecture)}


def gate_facts(
    image_size: int,
    threshold: float,
    trained_on: str,
    metrics: dict[str, float],
    outcomes: dict[str, dict[str, int]] | None = None,
) -> GateFacts:
    """The facts of a gate with three outcomes, for pictures normalized as lite0 expects."""
    expects = describe(LITE0)
    return GateFacts(
        classes=3,
        image_size=image_size,
        mean=expects.mean,
        std=expects.std,
        threshold=threshold,
        trained_on=trained_on,
        metrics=metrics,
        outcomes=outcomes or {},
    )


def _shapes(classes: int) -> dict[str, tuple[int, ...]]:
    head = {name: tensor_shapes(LITE0, classes)[name] for name in _HEAD}
    return {**head, **extra_tensors(head["_fc.weight"][1])}
