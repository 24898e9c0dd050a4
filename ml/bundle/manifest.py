"""What `bundle.json` says: the seven models, what each expects of a photo, and where they come from."""

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
#: Which views of a photo a model looks at, besides the photo itself: as in a mirror, and upside down as well.
Flips = Literal["none", "horizontal", "both"]
#: The dimensions of a batch `[n, 3, height, width]` along which each view is flipped.
VIEWS: Mapping[Flips, tuple[tuple[int, ...], ...]] = {
    "none": ((),),
    "horizontal": ((), (3,)),
    "both": ((), (3,), (2,), (2, 3)),
}
#: A weights file, a plain name inside the bundle's folder, and its hash.
File = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*\.safetensors$", max_length=100)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def classes_of(key: str) -> tuple[int, ...]:
    """How many classes the model of this key may have: a grader one per grade, the gate two or three (`GateClass`)."""
    return (2, len(GateClass)) if key == GATE.key else (len(GRADES),)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class ModelSettings(_Strict):
    """Everything about one model but its weights.

    `temperature` divides the logits before the softmax (Guo et al., arXiv 1706.04599). `threshold` is, for a
    grader, the confidence below which it abstains; for the gate, the least probability of "scalp" that lets
    a photo pass: 0 lets every photo pass, anything above 1 none. A grader that is not `rated` has never been shown to
    rank real photographs: all its findings are withheld. So are those of photos whose distance, as the gate measures
    it, is beyond `reach`: they are unlike what the grader was calibrated on. `padding_size` is the image size that the
    network's static padding was laid out for, where that is not `image_size`. `output` says what the numbers of
    the last layer mean (`ml.outputs`). `base` names the weights that the file is a delta on; without it the file
    is complete. The probabilities of all views of `flips` are averaged, and calibrated by the `levels` of a grader that
    has them. `metrics` are measured figures by name.
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
            raise ValueError(f"{self.key} tells {allowed} classes apart, not {self.classes}")
        if self.key == GATE.key and self.output != "softmax":
            raise ValueError(f"the output of {self.key} must be softmax: its classes have no order")
        if self.key == GATE.key and (not self.rated or self.reach is not None):
            raise ValueError(f"rated and reach are for graders; {self.key} has neither")
        if self.key == GATE.key and self.levels is not None:
            raise ValueError(f"{self.key} can't have levels: its classes have no order")
        if self.base is not None and self.base.endswith(":imagenet"):
            raise ValueError(f"{self.base} is there where models are trained alone; a bundle holds its base as a file")
        return self

    @property
    def outputs(self) -> int:
        """How many numbers the last layer gives."""
        return outputs_for(self.classes, self.output)

    @property
    def preprocessing(self) -> Preprocessing:
        return Preprocessing(self.image_size, self.mean, self.std, self.aspect, self.interpolation)


class ModelSpec(ModelSettings):
    """A model of a bundle: its settings and its weights.

    `ensemble` are further weights files, by their hashes: the model is then several networks of the same settings,
    whose probabilities are averaged.
    """

    file: File
    sha256: Sha256
    ensemble: dict[File, Sha256] = {}

    @property
    def files(self) -> dict[str, str]:
        """All weights files by their hashes, the first one first."""
        return {self.file: self.sha256, **self.ensemble}

    @property
    def passes(self) -> int:
        """How many forward passes one photo takes."""
        return len(self.files) * len(VIEWS[self.flips])


class Provenance(_Strict):
    """Where a bundle comes from. `demo` is true where the answers must be shown as a demonstration.

    `name@version`, which every result keeps, has at most 100 characters. A bundle that was adapted from another names
    that as its `parent`, by `name@version` and the SHA-256 of its `bundle.json`, and `adapted` says to what and how.
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

    `bases` are the files, by their hashes, that models' bases are made from; `models` are the seven in the order of
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
