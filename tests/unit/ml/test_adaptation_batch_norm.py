"""Blended batch-norm statistics: between those of the networks and those of the photographs, in the right files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ml.adaptation.batch_norm import blended_files
from ml.bundle import Bundle, write_bundle
from ml.bundle.bases import SeededBase
from ml.bundle.manifest import ModelSettings, Provenance
from ml.data.synthetic import scalp_picture
from ml.errors import AdaptationInvalid
from ml.labels import GATE, MODEL_KEYS, SYMPTOMS
from ml.networks.registry import Weights, create_filled_network, tensor_shapes
from ml.preprocessing import Preprocessing, prepare

STEM = "_bn0.running_mean"


def batches(spec: Preprocessing) -> Iterator[torch.Tensor]:
    """Eight photographs, three at a time."""
    photographs = [prepare(scalp_picture(seed), {spec}).tensors[spec] for seed in range(8)]
    yield from torch.stack(photographs).split(3)


def stem(bundle: Bundle) -> torch.Tensor:
    """What the first batch-norm of the first grader reads on average: `[channels]`."""
    model, (weights,) = next(bundle.weights())
    network = create_filled_network(model.architecture, 4, model.image_size, weights)
    with torch.inference_mode():
        seen: torch.Tensor = network.get_submodule("_conv_stem")(torch.cat(list(batches(model.preprocessing))))
    return seen.mean(dim=(0, 2, 3))


def test_without_weight_of_their_own_statistics_are_the_photographs(bundle: Bundle) -> None:
    files = blended_files(bundle, batches, 0)
    assert files.keys() == {f"{symptom.key}.safetensors" for symptom in SYMPTOMS}, (
        "The gate's statistics must not change."
    )
    # A delta keeps its statistics in float16.
    torch.testing.assert_close(files["fine_scaling.safetensors"][STEM].float(), stem(bundle), rtol=1e-3, atol=1e-3)


def test_the_weight_of_the_source_moves_statistics_between_both(bundle: Bundle) -> None:
    before = load_file(bundle.folder / "fine_scaling.safetensors")
    half = blended_files(bundle, batches, 8)["fine_scaling.safetensors"]
    still = blended_files(bundle, batches, 1e9)["fine_scaling.safetensors"]
    middle = (before[STEM].float() + stem(bundle)) / 2
    torch.testing.assert_close(half[STEM].float(), middle, rtol=1e-3, atol=1e-3)
    for name, tensor in before.items():
        assert still[name].dtype == tensor.dtype
        torch.testing.assert_close(still[name], tensor, rtol=2e-3, atol=1e-4)


def sharing(folder: Path, *, gate_apart: bool) -> Bundle:
    """Seven B0 grown from lite0: six graders on one trunk, the gate on its own or on theirs."""
    trunks = {f"trunk-{n}.safetensors": SeededBase("efficientnet-lite0", n).weights() for n in (1, 2)[: 1 + gate_apart]}

    def model(key: str) -> tuple[ModelSettings, Weights]:
        number = 2 if gate_apart and key == GATE.key else 1
        classes = 2 if key == GATE.key else 4
        shapes = tensor_shapes("efficientnet-b0", classes)
        settings = ModelSettings(
            key=key,
            architecture="efficientnet-b0",
            image_size=64,
            mean=(0.5, 0.5, 0.5),
            std=(0.5, 0.5, 0.5),
            classes=classes,
            base=f"grown:efficientnet-b0:trunk-{number}.safetensors",
        )
        return settings, {name: torch.ones(shapes[name]) for name in ("_fc.weight", "_fc.bias")}

    provenance = Provenance(name="shared", version="1", licence="None", trained_on="Nothing", demo=True)
    halves = {file: {name: tensor.half() for name, tensor in trunk.items()} for file, trunk in trunks.items()}
    return write_bundle(folder, provenance, map(model, MODEL_KEYS), halves)


def test_graders_on_a_grown_trunk_share_the_blend_of_its_source(tmp_path: Path) -> None:
    bundle = sharing(tmp_path / "shared", gate_apart=True)
    files = blended_files(bundle, batches, 0)
    assert list(files) == ["trunk-1.safetensors"]
    trunk = files["trunk-1.safetensors"]
    assert trunk.keys() == load_file(bundle.folder / "trunk-1.safetensors").keys()
    torch.testing.assert_close(trunk[STEM].float(), stem(bundle), rtol=1e-2, atol=1e-2)


def test_a_trunk_that_the_gate_shares_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(AdaptationInvalid, match="shares trunk-1"):
        blended_files(sharing(tmp_path / "shared", gate_apart=False), batches, 8)
