"""Recipes: everything that decides how a training goes, as small TOML files with a name."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ml.errors import RecipeInvalid
from ml.networks.growth import SOURCE, copies_in
from ml.networks.registry import describe
from ml.outputs import Output
from ml.validation import first_fault

FOLDER = Path(__file__).parent / "recipes"

Share = Annotated[float, Field(ge=0, lt=1)]


class Recipe(BaseModel):
    """How a training goes.

    - `frozen_blocks` keeps the stem and so many blocks of an EfficientNet as they start: they take most of a step's
      time, and see what all pictures are made of.
    - `grows_into` names the architecture that a run of efficientnet-lite0 becomes in a bundle.
    - `heads`: `six` trains one network whose last layer answers for all six symptoms, `one` a network a symptom.
    - `class_balance` weighs each grade by the inverse square root of how often it occurs.
    - `learning_rate` rises over `warmup_epochs`, then falls as half a cosine or stays.
    - `batch` is what one optimiser step sees, however few of its pictures fit into memory at once.
    - `ema` is the decay of the averaged weights, 0 for none.
    - `enough` ends training with the first epoch whose `monitor` on the validation part reaches it, where it is given.
    - `patience` is after how many epochs without a better `monitor` on the validation part training stops; 0 for never.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str
    says: str
    architecture: str
    image_size: int = Field(ge=32, le=1024)
    grows_into: str | None = None
    frozen_blocks: int = Field(ge=0, default=0)
    heads: Literal["six", "one"] = "six"
    augmentation: Literal["deck", "gentle", "strong"]
    loss: Literal["cross_entropy", "distance", "corn"]
    label_smoothing: Share = 0.0
    class_balance: bool = False
    optimiser: Literal["adam", "adamw"] = "adamw"
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

    @model_validator(mode="after")
    def _fits(self) -> Self:
        describe(self.architecture)
        if self.frozen_blocks and describe(self.architecture).head != "_fc":
            raise ValueError("frozen_blocks is for efficientnet-lite0 and -b0 to -b7 alone")
        if self.label_smoothing and self.loss != "cross_entropy":
            raise ValueError("label_smoothing is a matter of loss cross_entropy alone")
        if self.grows_into and (self.architecture != SOURCE or copies_in(self.grows_into) is None):
            raise ValueError(f"{self.architecture} can't grow into {self.grows_into}")
        return self

    @property
    def output(self) -> Output:
        return "corn" if self.loss == "corn" else "softmax"

    def changed(self, **values: object) -> Recipe:
        """The recipe with these values instead; None leaves what is there. Raises RecipeInvalid."""
        wanted = {name: value for name, value in values.items() if value is not None}
        try:
            return Recipe(**{**self.model_dump(), **wanted})
        except ValidationError as error:
            raise RecipeInvalid(f"{self.name}: {first_fault(error)}") from error


def recipe_names() -> tuple[str, ...]:
    """The recipes that come with the code."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load_recipe(name: str) -> Recipe:
    """A recipe by its name, or from a TOML file by its path. Raises RecipeInvalid."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not path.is_file():
        raise RecipeInvalid(
            f"There is no recipe {name!r}; take {', '.join(recipe_names())}, or a path to a .toml file."
        )
    try:
        return Recipe(name=path.stem, **tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError) as error:
        raise RecipeInvalid(f"{path} is no readable recipe: {error}") from error
    except ValidationError as error:
        raise RecipeInvalid(f"{path}: {first_fault(error)}") from error
