"""Realism: compare synthetic pictures with real ones by a network's features and by descriptors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from ml.data.descriptors import Descriptors, Range, summarize
from ml.data.synthetic import draw_scalp
from ml.data.synthetic.grades import draw_grades
from ml.data.synthetic.texture import stream
from ml.evaluation.frechet import FrechetDistance, frechet_distance, noise_floor
from ml.gate.features import FeatureExtractor
from ml.networks.growth import LITE0
from ml.networks.imagenet import imagenet_weights
from ml.networks.registry import describe
from ml.preprocessing import Preprocessing

IMAGE_SIZE = 300

#: The number of directions in which sets are compared. Over all 1,280 features the distance between two halves of 164
#: photographs is a third of that between drawn pictures and photographs; in these directions it is a fifth, and added
#: grain, blur or a color cast is detected just as well.
DIRECTIONS = 64


@dataclass(frozen=True, slots=True)
class Appearance:
    """The appearance of a set of pictures: pooled features of lite0, float32 `[n, 1280]`, and descriptors of each."""

    features: np.ndarray
    descriptors: tuple[Descriptors, ...]

    @classmethod
    def of(cls, pictures: Iterable[Image.Image]) -> Appearance:
        """Measure pictures, at least one, one after another.

        Raises WeightsUnreadable if the ImageNet weights are not installed.
        """
        expects = describe(LITE0)
        extractor = FeatureExtractor(imagenet_weights(), Preprocessing(IMAGE_SIZE, expects.mean, expects.std))
        descriptors: list[Descriptors] = []

        def measured() -> Iterator[Image.Image]:
            for picture in pictures:
                descriptors.append(Descriptors.of(picture))
                yield picture

        features = extractor.features(measured()).numpy()
        return cls(features, tuple(descriptors))


@dataclass(frozen=True, slots=True)
class Distance:
    """The Fréchet distance of two sets, and the mean distance between halves of the real pictures."""

    frechet: FrechetDistance
    noise_floor: float

    @classmethod
    def between(cls, synthetic: np.ndarray, real: np.ndarray) -> Distance:
        """The distance of features `[n, width]` from real ones `[m, width]`. Raises ValueError for `m` below 4."""
        return cls(frechet_distance(synthetic, real), noise_floor(real))

    def as_json(self) -> dict[str, float]:
        """The distance for `--json`, rounded to four decimals."""
        return {
            "frechet_distance": round(self.frechet.total, 4),
            "of_means": round(self.frechet.means, 4),
            "of_covariances": round(self.frechet.covariances, 4),
            "noise_floor": round(self.noise_floor, 4),
        }


@dataclass(frozen=True, slots=True)
class Realism:
    """Synthetic pictures compared with real ones: in `DIRECTIONS` directions, over all features, and by descriptor."""

    synthetic_pictures: int
    real_pictures: int
    distance: Distance
    over_all_features: Distance
    synthetic: dict[str, Range]
    real: dict[str, Range]

    @classmethod
    def between(cls, synthetic: Appearance, real: Appearance) -> Realism:
        """Compare drawn pictures with real ones. Raises ValueError for fewer than four real or two drawn ones."""
        directions = class_directions()
        return cls(
            synthetic_pictures=len(synthetic.features),
            real_pictures=len(real.features),
            distance=Distance.between(synthetic.features @ directions, real.features @ directions),
            over_all_features=Distance.between(synthetic.features, real.features),
            synthetic=summarize(synthetic.descriptors),
            real=summarize(real.descriptors),
        )

    def as_json(self) -> dict[str, Any]:
        """The same as a JSON document."""
        return {
            "pictures": {"synthetic": self.synthetic_pictures, "real": self.real_pictures},
            **self.distance.as_json(),
            "over_all_features": self.over_all_features.as_json(),
            "descriptors": {
                name: {"synthetic": range_.as_json(), "real": self.real[name].as_json()}
                for name, range_ in self.synthetic.items()
            },
        }


def class_directions(count: int = DIRECTIONS) -> np.ndarray:
    """Orthonormal directions `[1280, count]` of feature space along which ImageNet's 1,000 classes differ most.

    They are the first principal components of the rows of the network's last layer, which the network uses to
    distinguish classes. They do not depend on pictures, so all comparisons are made in the same space.
    """
    rows = imagenet_weights()["_fc.weight"].double().numpy()
    centered = rows - rows.mean(axis=0)
    directions: np.ndarray = np.linalg.eigh(centered.T @ centered).eigenvectors[:, -count:]
    return directions


def drawn_scalps(count: int, seed: int) -> Iterator[Image.Image]:
    """`count` synthetic scalps with seeds from `seed` on, in which each grade of each symptom is equally frequent."""
    grades = draw_grades(stream(seed, "grades of drawn scalps"), count, balanced=True).tolist()
    return (draw_scalp(seed + number, row) for number, row in enumerate(grades))
