"""Bundles of seeded networks, which cost as much as trained ones but whose answers mean nothing.

Each of the seven has its own seeded base. Its file adds batch-norm statistics, measured on synthetic pictures, and a
head. With the statistics every layer gets activations of unit variance, as in a trained network; without them the
activations become denormals, which are up to ten times slower.

They are for tests and benchmarks in which only the cost matters:

    python -m ml bundle build --seeded --architecture efficientnet-b0 --image-size 64 --seed 1 --out var/small
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ml.bundle import Bundle, write_bundle
from ml.bundle.bases import open_base
from ml.bundle.manifest import ModelSettings, Provenance
from ml.data.synthetic import scalp_picture
from ml.data.synthetic.grades import GRADE_SHARES
from ml.labels import GATE, MODEL_KEYS, SYMPTOMS
from ml.networks.registry import Weights, create_filled_network, describe, tensor_shapes
from ml.networks.seeded import he_uniform
from ml.preprocessing import Preprocessing, to_tensor

CALIBRATION_PICTURES = 16

#: Share of each grade in the labels of AI Hub's scalp set (dataSetSn 216), counted over its 91,156 distinct
#: images. Heads are biased like this, so that a demo mostly shows frequent grades. The gate's pair is made up.
CLASS_SHARES: dict[str, np.ndarray] = {
    **{symptom.key: shares for symptom, shares in zip(SYMPTOMS, GRADE_SHARES, strict=True)},
    GATE.key: np.array((0.1, 0.9)),
}


def build_seeded_bundle(
    folder: Path | str,
    *,
    architecture: str,
    image_size: int,
    seed: int,
    name: str = "demo",
    version: str = "1.0.0",
    gate_threshold: float = 0.0,
    grader_threshold: float = 0.4,
) -> Bundle:
    """Build and verify a demo bundle of seven untrained networks with consecutive seeds.

    `gate_threshold` 0 lets every photo pass, 1.01 none. Raises ValueError for an unknown architecture or
    settings out of range, BundleInvalid if the folder contains something else.
    """
    provenance = Provenance(
        name=name,
        version=version,
        licence="Apache-2.0",
        trained_on=(
            f"Nothing. Untrained weights from the seeds {seed} to {seed + len(MODEL_KEYS) - 1}; batch-norm "
            f"statistics and heads calibrated on {CALIBRATION_PICTURES} synthetic pictures. "
            "The answers mean nothing."
        ),
        demo=True,
    )
    expects = describe(architecture)
    preprocessing = Preprocessing(image_size, expects.mean, expects.std)
    pictures = torch.stack([to_tensor(scalp_picture(n), preprocessing) for n in range(CALIBRATION_PICTURES)])

    def models() -> Iterator[tuple[ModelSettings, Weights]]:
        for n, key in enumerate(MODEL_KEYS):
            yield seeded_model(
                key,
                architecture=architecture,
                seed=seed + n,
                preprocessing=preprocessing,
                pictures=pictures,
                threshold=gate_threshold if key == GATE.key else grader_threshold,
            )

    return write_bundle(folder, provenance, models())


def seeded_model(
    key: str,
    *,
    architecture: str,
    seed: int,
    preprocessing: Preprocessing,
    pictures: torch.Tensor,
    threshold: float,
) -> tuple[ModelSettings, Weights]:
    """A model on a seeded base, and its delta: statistics in float16, head in float32.

    `pictures` is the calibration batch `[n, 3, size, size]`, prepared according to `preprocessing`.
    """
    settings = ModelSettings(
        key=key,
        architecture=architecture,
        image_size=preprocessing.image_size,
        mean=preprocessing.mean,
        std=preprocessing.std,
        classes=len(CLASS_SHARES[key]),
        threshold=threshold,
        base=f"seeded:{architecture}:{seed}",
    )
    base = open_base(f"seeded:{architecture}:{seed}").weights()
    head = describe(architecture).head
    width = _head_width(architecture)
    blank = {
        f"{head}.weight": torch.zeros(settings.classes, width),
        f"{head}.bias": torch.zeros(settings.classes),
    }
    network = create_filled_network(architecture, settings.classes, preprocessing.image_size, {**base, **blank})
    with torch.inference_mode():
        statistics = _calibrate(network, pictures)
        features = _head_input(network, head, pictures)
    weight, bias = _head(features, seed, np.log(CLASS_SHARES[key]))
    return settings, {**statistics, f"{head}.weight": weight, f"{head}.bias": bias}


def _head_width(architecture: str) -> int:
    return tensor_shapes(architecture, 2)[f"{describe(architecture).head}.weight"][1]


def _calibrate(network: nn.Module, pictures: torch.Tensor) -> Weights:
    """Set every batch-norm to the statistics of the pictures, rounded to float16, and return those.

    In training mode a batch-norm normalizes by the batch itself, so one pass gives every layer the input that it will
    have once all layers before it are calibrated. Everything else stays in evaluation mode.
    """
    norms = {name: module for name, module in network.named_modules() if isinstance(module, nn.BatchNorm2d)}
    for norm in norms.values():
        norm.momentum = 1.0
        norm.train()
    network(pictures)
    statistics: dict[str, torch.Tensor] = {}
    for name, norm in norms.items():
        norm.eval()
        assert norm.running_mean is not None
        assert norm.running_var is not None
        smallest = torch.finfo(torch.float16).smallest_normal
        statistics[f"{name}.running_mean"] = norm.running_mean.half()
        statistics[f"{name}.running_var"] = norm.running_var.clamp_min(smallest).half()
        norm.running_mean.copy_(statistics[f"{name}.running_mean"])
        norm.running_var.copy_(statistics[f"{name}.running_var"])
    return statistics


def _head_input(network: nn.Module, head: str, pictures: torch.Tensor) -> torch.Tensor:
    """Pooled features `[n, width]` of the pictures, which are the input of the head."""
    received: list[torch.Tensor] = []
    hook = network.get_submodule(head).register_forward_pre_hook(lambda _, inputs: received.append(inputs[0]))
    for picture in pictures:
        network(picture[None])
    hook.remove()
    return torch.cat(received)


def _head(features: torch.Tensor, seed: int, mean_logits: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """A random head whose logits over these features have the given means and unit standard deviation.

    Its rows are orthogonal to the mean feature, which is large compared with the differences between pictures: so
    they only depend on the differences, and the bias is the mean logit.
    """
    rows = features.double()
    center = rows.mean(dim=0)
    weight = torch.from_numpy(he_uniform((len(mean_logits), rows.shape[1]), seed, "head")).double()
    weight -= torch.outer(weight @ center, center) / (center @ center)
    weight /= (rows @ weight.T).std(dim=0, unbiased=False)[:, None]
    return weight.float(), torch.from_numpy(mean_logits).float()
