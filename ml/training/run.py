"""Runs: what a training leaves behind, a folder of `run.json`, `weights.safetensors` and its logs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from ml.data.records import Record
from ml.errors import RunInvalid
from ml.labels import GRADES
from ml.networks.registry import STEP_COUNTER, Weights, create_filled_network, describe
from ml.outputs import Output, outputs_for
from ml.preprocessing import Preprocessing
from ml.training.pictures import Pictures, load
from ml.training.recipe import Recipe
from ml.validation import first_fault

RUN_FILE = "run.json"
WEIGHTS_FILE = "weights.safetensors"


class RunFacts(BaseModel):
    """What `run.json` says.

    `identity` tells one training from another, `digest` is that of the pictures (`ml.data.splits.digest`),
    `started_from` says which weights the training began with, `seconds` how long it took, `images_a_second` what its
    steps took in; `history` has a row an epoch.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipe: Recipe
    symptoms: tuple[str, ...]
    seed: int
    started_from: str
    pictures: dict[str, int]
    identity: str
    digest: str
    synthetic: bool
    device: str
    memory_plan: str
    best_epoch: int
    seconds: float
    images_a_second: float
    history: list[dict[str, float]]


@dataclass(frozen=True, slots=True)
class Run:
    """A finished training run. `Run.open` is the only way to one."""

    folder: Path
    facts: RunFacts

    @classmethod
    def open(cls, folder: Path | str) -> Run:
        """Read a run's facts. Raises RunInvalid where the folder holds none, or one that isn't finished."""
        folder = Path(folder)
        path = folder / RUN_FILE
        if not path.is_file() or not (folder / WEIGHTS_FILE).is_file():
            raise RunInvalid(f"{folder} holds no finished run. Name the folder that `python -m ml train` wrote.")
        try:
            return cls(folder, RunFacts.model_validate_json(path.read_bytes()))
        except ValidationError as error:
            raise RunInvalid(f"{path}: {first_fault(error)}") from error

    @property
    def recipe(self) -> Recipe:
        """The recipe that the run was trained by."""
        return self.facts.recipe

    @property
    def symptoms(self) -> tuple[str, ...]:
        """The keys of the symptoms that its last layer answers for, in order."""
        return self.facts.symptoms

    @property
    def output(self) -> Output:
        """What the last layer returns for each symptom (`ml.outputs`)."""
        return self.recipe.output

    @property
    def preprocessing(self) -> Preprocessing:
        """What a picture must become for its network."""
        return preprocessing(self.recipe)

    def weights(self) -> Weights:
        """All tensors in float32; the last layer has the outputs of each symptom, one after the other."""
        try:
            return load_file(self.folder / WEIGHTS_FILE)
        except (SafetensorError, OSError) as error:
            raise RunInvalid(f"{self.folder / WEIGHTS_FILE} can't be read: {error}") from error

    def head(self, symptom: str, weights: Weights) -> Weights:
        """Of these weights of the run, the rows of the last layer that answer for this symptom."""
        each, place = outputs_for(len(GRADES), self.output), self.symptoms.index(symptom)
        name = describe(self.recipe.architecture).head
        rows = slice(place * each, (place + 1) * each)
        return {f"{name}.{part}": weights[f"{name}.{part}"][rows] for part in ("weight", "bias")}

    def outputs(self, records: Sequence[Record], device: str = "cpu", batch: int = 16) -> np.ndarray:
        """Raw outputs, float32 `[n, symptoms, outputs]`, to the pictures of these records."""
        recipe, count = self.recipe, outputs_for(len(GRADES), self.output) * len(self.symptoms)
        network = create_filled_network(recipe.architecture, count, recipe.image_size, self.weights()).to(device)
        return answer(network, Pictures(records, self.symptoms, self.preprocessing), device=device, batch=batch)


def preprocessing(recipe: Recipe) -> Preprocessing:
    """What networks of this recipe expect of a photo."""
    expects = describe(recipe.architecture)
    return Preprocessing(recipe.image_size, expects.mean, expects.std)


def answer(network: nn.Module, pictures: Pictures, *, device: str, batch: int, workers: int = 0) -> np.ndarray:
    """Raw outputs, float32 `[n, symptoms, outputs]`, of a network in evaluation mode to all pictures."""
    rows: list[np.ndarray] = []
    with torch.inference_mode():
        for inputs, grades, _ in load(pictures, workers, batch_size=batch):
            outputs = network(inputs.to(device, memory_format=torch.channels_last)).float()
            rows.append(outputs.cpu().numpy().reshape(len(inputs), grades.shape[1], -1))
    return np.concatenate(rows)


def write_weights(folder: Path, state: dict[str, torch.Tensor]) -> None:
    """Write a network's state dict as the run's weights; the earlier ones stay until the new ones are whole."""
    draft = folder / f"{WEIGHTS_FILE}.tmp"
    save_file(
        {n: t.detach().float().cpu().contiguous() for n, t in state.items() if not n.endswith(STEP_COUNTER)}, draft
    )
    draft.replace(folder / WEIGHTS_FILE)


def write_facts(folder: Path, facts: RunFacts) -> Run:
    """Write the facts of a run whose weights are written, which finishes it. Raises OSError."""
    draft = folder / f"{RUN_FILE}.tmp"
    content: dict[str, Any] = facts.model_dump()
    draft.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(folder / RUN_FILE)
    return Run(folder, facts)
