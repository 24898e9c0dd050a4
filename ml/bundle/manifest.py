"""The schema of `bundle.json`: the seven models, their preprocessing, and where they come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ml.bundle.bases import file_of
from ml.labels import GATE, GRADES, MODEL_KEYS, GateClass
from ml.levels import Levels
from ml.networks.registry import describe
from ml.outputs import Output, outputs_for
from ml.preprocessing import Aspect, Interpolation, Preprocessing

Unit = Annotated[float, Field(ge=0, le=1)]
Spread = Annotated[float, Field(gt=0, le=10)]
#: The views of a photo that a model processes besides the photo itself: mirrored, or also upside down.
Flips = Literal["none", "horizontal", "both"]
#: The dimensions of a batch `[n, 3, height, width]` along which each view is flipped.
VIEWS: Mapping[Flips, tuple[tuple[int, ...], ...]] = {
    "none": ((),),
    "horizontal": ((), (3,)),
    "both": ((), (3,), (2,), (2, 3)),
}
#: The name of a weights file in the bundle's folder, and its hash.
File = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*\.safetensors$", max_length=100)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def classes_of(key: str) -> tuple[int, ...]:
    """How many classes the model may have: a grader one per grade, the gate two or three (`GateClass`)."""
    return (2, len(GateClass)) if key == GATE.key else (len(GRADES),)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class ModelSettings(_Strict):
    """Everything about one model except its weights.

    `temperature` divides the logits before the softmax (Guo et al., arXiv 1706.04599). `threshold` is, for a
    grader, the confidence below which it abstains; for the gate, the lowest probability of "scalp" that passes: 0 lets
    every photo pass, anything above 1 none. A grader is `rated` if it was shown to rank real photographs; otherwise all
    its findings are withheld. So are findings on photos whose distance, as the gate measures it, is beyond `reach`:
    they are unlike what the grader was calibrated on. `padding_size` is the image size that the network's static
    padding was computed for, if that is not `image_size`. `output` is the meaning of the last layer (`ml.outputs`).
    `base` names the weights that the file is a delta on; without it the file is complete. The probabilities of all
    views of `flips` are averaged, and calibrated by `levels` if the grader has them. `metrics` are measured figures by
    name.
    """

    key: Literal[MODEL_KEYS]  # type: ignore[valid-type]
    architecture: str
    image_size: int = Field(ge=32, le=1024)
    padding_size: int | None = Field(default=None, ge=32, le=1024)
    mean: tuple[Unit, Unit, Unit]
    std: tuple[Spread, Spread, Spread]
    aspect: Aspect = "stretch"
    interpolation: Interpolation = "bicubic"
    classes: int
    output: Output = "softmax"
    temperature: float = Field(default=1.0, gt=0, le=100)
    threshold: float = Field(default=0.0, ge=0, le=1.01)
    rated: bool = True
    reach: float | None = Field(default=None, gt=0)
    levels: Levels | None = None
    base: str | None = None
    flips: Flips = "none"
    metrics: dict[str, float] = {}

    @model_validator(mode="after")
    def _fits(self) -> Self:
        describe(self.architecture)
        if self.classes not in classes_of(self.key):
            allowed = " or ".join(map(str, classes_of(self.key)))
            raise ValueError(f"{self.key} must have {allowed} classes, not {self.classes}")
        if self.key == GATE.key and self.output != "softmax":
            raise ValueError(f"the output of {self.key} must be softmax: its classes have no order")
        if self.key == GATE.key and (not self.rated or self.reach is not None):
            raise ValueError(f"rated and reach are for graders; {self.key} has neither")
        if self.key == GATE.key and self.levels is not None:
            raise ValueError(f"{self.key} can't have levels: its classes have no order")
        if self.base is not None and self.base.endswith(":imagenet"):
            raise ValueError(f"{self.base} is only for training; a bundle has its base as a file")
        return self

    @property
    def outputs(self) -> int:
        """How many numbers the last layer returns."""
        return outputs_for(self.classes, self.output)

    @property
    def preprocessing(self) -> Preprocessing:
        """What a photo must become for this model."""
        return Preprocessing(self.image_size, self.mean, self.std, self.aspect, self.interpolation)


class ModelSpec(ModelSettings):
    """A model of a bundle: its settings and its weights.

    `ensemble` are the hashes of further weights files by name: the model is then several networks with the same
    settings, whose probabilities are averaged.
    """

    file: File
    sha256: Sha256
    ensemble: dict[File, Sha256] = {}

    @property
    def files(self) -> dict[str, str]:
        """The hash of each weights file by name, beginning with `file`."""
        return {self.file: self.sha256, **self.ensemble}

    @property
    def passes(self) -> int:
        """Forward passes per photo."""
        return len(self.files) * len(VIEWS[self.flips])


class Provenance(_Strict):
    """Where a bundle comes from. `demo` is true if its answers must be shown as a demonstration.

    `name@version`, which every result stores, has at most 100 characters. An adapted bundle has a `parent`, given by
    `name@version` and the SHA-256 of its `bundle.json`; `adapted` describes the adaptation.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=50)
    version: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$", max_length=49)
    licence: str = Field(min_length=1)
    trained_on: str = Field(min_length=1)
    demo: bool
    parent: str | None = Field(default=None, min_length=1, max_length=200)
    adapted: str | None = Field(default=None, min_length=1)


class Manifest(Provenance):
    """The whole of `bundle.json`.

    `bases` are the hashes of the files that bases are made from, by name; `models` are the seven in the order of
    `ml.labels.MODEL_KEYS`.
    """

    format: Literal[1] = 1
    bases: dict[File, Sha256] = {}
    models: tuple[ModelSpec, ...]

    @model_validator(mode="after")
    def _seven(self) -> Self:
        keys = tuple(model.key for model in self.models)
        if keys != MODEL_KEYS:
            raise ValueError(f"models must be {', '.join(MODEL_KEYS)} in this order, not {', '.join(keys) or 'none'}")
        files = [*self.bases, *(file for model in self.models for file in (model.file, *model.ensemble))]
        if len(set(files)) != len(files):
            raise ValueError("every network and every base needs a file of its own")
        needed = {file_of(model.base) for model in self.models if model.base is not None} - {None}
        if needed != self.bases.keys():
            raise ValueError(
                f"bases must be the files that models build on, {_listed(needed)}, not {_listed(self.bases)}"
            )
        return self


def _listed(files: Iterable[str | None]) -> str:
    return ", ".join(sorted(filter(None, files))) or "none"
