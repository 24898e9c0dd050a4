"""The weights of a benchmark: a seeded bundle, in which all blocks matter, and the same as state dicts.

The demo's grown networks would favor lines that share trunks or skip blocks without effect, and untrained networks
without batch-norm statistics are slow because of denormals. Seeded networks avoid both (`ml.build.from_seeds`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import torch

from ml.build.from_seeds import build_seeded_bundle
from ml.bundle import Bundle
from ml.errors import BundleInvalid
from ml.networks.flops import gflop

logger = logging.getLogger(__name__)

SEED = 300


@dataclass(frozen=True, slots=True)
class Weights:
    """The same seven networks twice: as a bundle, and one file of `torch.save` per model under `state_dicts`."""

    bundle: Bundle
    state_dicts: Path

    @property
    def gflop_a_photo(self) -> float:
        """GFLOP of the seven per photo."""
        return sum(gflop(model.architecture, model.image_size) for model in self.bundle.manifest.models)


def open_weights(folder: Path, architecture: str, image_size: int) -> Weights:
    """The weights of a benchmark under `folder`, built there if necessary.

    Seven EfficientNet-B7 take a few minutes once, and 1.8 GB of disk. Raises ValueError for an unknown architecture.
    """
    place = folder / f"{architecture}-{image_size}"
    try:
        bundle = Bundle.open(place / "bundle")
    except BundleInvalid:
        logger.info("building seven seeded %s at %d px in %s, once", architecture, image_size, place)
        bundle = build_seeded_bundle(
            place / "bundle", architecture=architecture, image_size=image_size, seed=SEED, name="seeded"
        )
    whole = Weights(bundle, place / "state-dicts")
    whole.state_dicts.mkdir(exist_ok=True)
    written = whole.state_dicts / "written-for"
    identity = "\n".join(model.sha256 for model in bundle.manifest.models)
    if not written.exists() or written.read_text() != identity:
        for model, (weights,) in bundle.weights():
            torch.save(dict(weights), whole.state_dicts / f"{model.key}.pth")
        written.write_text(identity)
    return whole
