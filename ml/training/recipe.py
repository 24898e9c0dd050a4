"""Recipes: all settings of a training, as small named TOML files."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ml.errors import RecipeInvalid
from ml.networks.growth import LITE0, copies_in
from ml.networks.registry import describe
from ml.outputs import Output
from ml.validation import first_fault

FOLDER = Path(__file__).parent / "recipes"

#: Keys as recipes and runs of earlier versions spell them, and today's. Both are read.
FORMER_KEYS = {"says": "description", "optimiser": "optimizer"}

Share = Annotated[float, Field(ge=0, lt=1)]


class Recipe(BaseModel):
    """The settings of a training.

    - `frozen_blocks` freezes the stem and this many blocks of an EfficientNet: they take most of a step's time, and
      detect features that all pictures have.
    - `grows_into` names the architecture that a run of efficientnet-lite0 becomes in a bundle.
    - `heads`: `six` trains one network whose last layer answers for all six symptoms, `one` a network per symptom.
    - `class_balance` weights each grade by the inverse square root of its frequency.
    - `learning_rate` rises over `warmup_epochs`, then falls as half a cosine or stays constant.
    - `batch` is the number of pictures per optimizer step, no matter how many fit into memory at once.
    - `ema` is the decay of the averaged weights, 0 for no averaging.
    - `enough` stops training after the first epoch whose `monitor` on the validation part reaches it.
    - `patience` stops training after this many epochs without a better `monitor` on the validation part; 0 for never.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str
    description: str
    architecture: str
    image_size: int = Field(ge=32, le=1024)
    grows_into: str | None = None
    frozen_blocks: int = Field(ge=0, default=0)
    heads: Literal["six", "one"] = "six"
    augmentation: Literal["deck", "gentle", "strong"]
    loss: Literal["cross_entropy", "distance", "corn"]
    label_smoothing: Share = 0.0
    class_balance: bool = False
    optimizer: Literal["adam", "adamw"] = "adamw"
    learning_rate: float = Field(gt=0, lt=1)
    weight_decay: float = Field(ge=0, default=0.0)
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup_epochs: float = Field(ge=0, default=0.0)
    epochs: int = Field(ge=1)
    batch: int = Field(ge=1)
    ema: Share = 0.0
    monitor: Literal["macro_f1", "qwk"] = "qwk"
    patience: int = Field(ge=0, default=0)
    enough: float | None = Field(gt=0, le=1, default=None)
    mixed_precision: bool = True

    @model_validator(mode="before")
    @classmethod
    def _read_former_keys(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        for former, key in FORMER_KEYS.items():
            if former in values and key in values:
                raise ValueError(f"{former} is the former name of {key}: give only {key}")
        return {FORMER_KEYS.get(key, key): value for key, value in values.items()}

    @model_validator(mode="after")
    def _check_combinations(self) -> Self:
        describe(self.architecture)
        if self.frozen_blocks and describe(self.architecture).head != "_fc":
            raise ValueError("frozen_blocks is only for efficientnet-lite0 and -b0 to -b7")
        if self.label_smoothing and self.loss != "cross_entropy":
            raise ValueError("label_smoothing is only for loss cross_entropy")
        if self.grows_into and (self.architecture != LITE0 or copies_in(self.grows_into) is None):
            raise ValueError(f"{self.architecture} can't grow into {self.grows_into}")
        return self

    @property
    def output(self) -> Output:
        """What the last layer returns: CORN logits or a softmax over the grades (`ml.outputs`)."""
        return "corn" if self.loss == "corn" else "softmax"

    def changed(self, **values: object) -> Recipe:
        """The recipe with these values instead; None keeps a value. Raises RecipeInvalid."""
        changes = {name: value for name, value in values.items() if value is not None}
        try:
            return Recipe(**{**self.model_dump(), **changes})
        except ValidationError as error:
            raise RecipeInvalid(f"{self.name}: {first_fault(error)}") from error


def recipe_names() -> tuple[str, ...]:
    """The names of the recipes that ship with the code."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load_recipe(name: str) -> Recipe:
    """A recipe by its name, or from a TOML file by its path. Raises RecipeInvalid."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not path.is_file():
        raise RecipeInvalid(
            f"There is no recipe {name!r}; use one of {', '.join(recipe_names())}, or a path to a .toml file."
        )
    try:
        return Recipe(name=path.stem, **tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError) as error:
        raise RecipeInvalid(f"{path} cannot be read as a recipe: {error}") from error
    except ValidationError as error:
        raise RecipeInvalid(f"{path}: {first_fault(error)}") from error
