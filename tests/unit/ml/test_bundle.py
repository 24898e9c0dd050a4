from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from ml.bundle import Bundle, write_bundle
from ml.bundle.manifest import ModelSettings, Provenance
from ml.errors import BundleInvalid
from ml.gate import extra_tensors
from ml.labels import MODEL_KEYS
from ml.networks.registry import tensor_shapes, trunk_shapes
from ml.runtimes import Trunk
from ml.runtimes.eager import lay_out_channels_last
from tests.support.ml_bundles import alter_model, alter_tensors, copy_bundle, rehash

PROVENANCE = Provenance(name="test", version="1", licence="None", trained_on="Nothing", demo=True)


def test_a_whole_bundle_opens_and_says_what_it_is(bundle: Bundle) -> None:
    assert bundle.reference == "demo@1.0.0"
    assert bundle.demo
    assert [model.key for model in bundle.manifest.models] == list(MODEL_KEYS)
    assert [model.classes for model in bundle.manifest.models] == [4, 4, 4, 4, 4, 4, 2]
    assert len({model.base for model in bundle.manifest.models}) == 7
    assert "Nothing" in bundle.manifest.trained_on


def manifest_with(**changes: Any) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        manifest = json.loads((folder / "bundle.json").read_text())
        (folder / "bundle.json").write_text(json.dumps({**manifest, **changes}))

    return damage


def model_with(**changes: Any) -> Callable[[Path], None]:
    return lambda folder: alter_model(folder, "dandruff", **changes)


def tensors_with(**changes: torch.Tensor | None) -> Callable[[Path], None]:
    return lambda folder: alter_tensors(folder, "dandruff", {n.replace("__", "."): t for n, t in changes.items()})


def without_a_model(folder: Path) -> None:
    manifest = json.loads((folder / "bundle.json").read_text())
    manifest_with(models=manifest["models"][:-1])(folder)


def with_a_model_twice(folder: Path) -> None:
    models = json.loads((folder / "bundle.json").read_text())["models"]
    manifest_with(models=[*models[:-1], models[0]])(folder)


def with_one_file_for_two(folder: Path) -> None:
    model = json.loads((folder / "bundle.json").read_text())["models"][0]
    alter_model(folder, "dandruff", file=model["file"], sha256=model["sha256"])


def with_a_flipped_bit(folder: Path) -> None:
    path = folder / "dandruff.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def cut_short(folder: Path) -> None:
    path = folder / "dandruff.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    rehash(folder, "dandruff")


def a_pickle_in_disguise(folder: Path) -> None:
    torch.save({"_fc.bias": torch.zeros(4)}, folder / "dandruff.safetensors")
    rehash(folder, "dandruff")


DAMAGES: list[tuple[Callable[[Path], Any], str]] = [
    (lambda folder: (folder / "bundle.json").unlink(), "no such file"),
    (lambda folder: (folder / "bundle.json").write_text("{"), "bundle.json"),
    (lambda folder: (folder / "bundle.json").write_text(" " * 2_000_000), "too large"),
    (manifest_with(format=2), "format"),
    (manifest_with(surprise=True), "surprise"),
    (manifest_with(demo="yes"), "demo"),
    (manifest_with(version="../1"), "version"),
    (without_a_model, "models must be"),
    (with_a_model_twice, "models must be"),
    (with_one_file_for_two, "file of its own"),
    (model_with(file="../dandruff.safetensors"), "file"),
    (model_with(file="/etc/passwd.safetensors"), "file"),
    (model_with(file="a/dandruff.safetensors"), "file"),
    (model_with(file="dandruff.safetensors\n"), "file"),
    (model_with(file="dandruff.pt"), "file"),
    (model_with(file="dandruff.bin"), "file"),
    (model_with(ensemble={"dandruff-2.pt": "0" * 64}), "ensemble"),
    (manifest_with(bases={"trunk.bin": "0" * 64}), "bases"),
    (model_with(file="elsewhere.safetensors"), "missing"),
    (model_with(architecture="resnet50"), "resnet50"),
    (model_with(architecture="efficientnet-b1"), "delta"),
    (model_with(classes=5), "classes"),
    (model_with(output="sigmoid"), "output"),
    (model_with(output="corn"), "shape"),
    (lambda folder: alter_model(folder, "scalp_gate", output="corn"), "must be softmax"),
    (model_with(image_size=0), "image_size"),
    (model_with(image_size=64.5), "image_size"),
    (model_with(mean=[0.5, 0.5]), "mean"),
    (model_with(std=[0.5, 0.0, 0.5]), "std"),
    (model_with(mean=[0.5, float("nan"), 0.5]), "mean"),
    (model_with(temperature=0), "temperature"),
    (model_with(rated="no"), "rated"),
    (model_with(reach=0), "reach"),
    (model_with(reach=0.8), "measures no distance"),
    (lambda folder: alter_model(folder, "scalp_gate", rated=False), "for graders"),
    (lambda folder: alter_model(folder, "scalp_gate", reach=0.8), "for graders"),
    (model_with(threshold=1.5), "threshold"),
    (model_with(base="drawn:efficientnet-b0"), "unknown kind"),
    (model_with(base="grown:efficientnet-b0"), "must be named"),
    (model_with(base="grown:efficientnet-b0:trunk.safetensors"), "bases"),
    (model_with(base="grown:efficientnet-b0:imagenet"), "only for training"),
    (manifest_with(bases={"trunk.safetensors": "0" * 64}), "bases"),
    (manifest_with(bases={"../trunk.safetensors": "0" * 64}), "bases"),
    (model_with(base=None), "lacks"),
    (model_with(extra=1), "extra"),
    (model_with(flips="vertical"), "flips"),
    (model_with(ensemble={"dandruff-2.safetensors": "0" * 64}), "missing"),
    (model_with(ensemble={"dandruff.safetensors": "0" * 64}), "file of its own"),
    (model_with(ensemble={"../dandruff-2.safetensors": "0" * 64}), "ensemble"),
    (lambda folder: (folder / "dandruff.safetensors").unlink(), "missing"),
    (with_a_flipped_bit, "SHA-256"),
    (cut_short, "safetensors"),
    (a_pickle_in_disguise, "safetensors"),
    (tensors_with(stray=torch.zeros(1)), "stray"),
    (tensors_with(_fc__bias=None), "_fc.bias"),
    (tensors_with(_fc__bias=torch.zeros(5)), "shape"),
    (tensors_with(_fc__bias=torch.zeros(4, dtype=torch.int64)), "int64"),
    (tensors_with(_fc__bias=torch.tensor([0, 0, 0, float("nan")])), "not finite"),
    (tensors_with(_bn0__running_var=torch.full((32,), float("inf"))), "not finite"),
]


@pytest.mark.parametrize(("damage", "says"), DAMAGES)
def test_a_damaged_bundle_does_not_open(damage: Callable[[Path], Any], says: str, bundle_copy: Path) -> None:
    Bundle.open(bundle_copy)
    damage(bundle_copy)
    with pytest.raises(BundleInvalid, match=says) as refusal:
        Bundle.open(bundle_copy)
    assert str(bundle_copy) in str(refusal.value)
    assert str(refusal.value).endswith(".")


def test_models_on_one_base_share_its_memory(bundle_copy: Path) -> None:
    base = json.loads((bundle_copy / "bundle.json").read_text())["models"][0]["base"]
    alter_model(bundle_copy, "dandruff", base=base)
    weights = {model.key: weights for model, (weights,) in Bundle.open(bundle_copy).weights()}
    wide = "_conv_head.weight"
    assert weights["dandruff"][wide].data_ptr() == weights["fine_scaling"][wide].data_ptr()
    assert weights["dandruff"][wide].data_ptr() != weights["hair_loss"][wide].data_ptr()
    assert not torch.equal(weights["dandruff"]["_fc.weight"], weights["fine_scaling"]["_fc.weight"])


def test_placed_trunks_share_the_base_too(bundle_copy: Path) -> None:
    base = json.loads((bundle_copy / "bundle.json").read_text())["models"][0]["base"]
    alter_model(bundle_copy, "dandruff", base=base)
    built = []
    for model, networks in Bundle.open(bundle_copy).networks():
        trunk = Trunk(model.architecture, model.outputs, model.preprocessing, model.image_size, networks[0]).build()
        lay_out_channels_last(trunk)
        built.append((model.key, trunk.state_dict()))
    first, second = (dict(built)[key] for key in ("fine_scaling", "dandruff"))
    shared = sum(t.nbytes for name, t in first.items() if t.data_ptr() == second[name].data_ptr())
    assert shared > 0.95 * sum(t.nbytes for t in first.values())


def complete_model(key: str) -> tuple[ModelSettings, dict[str, torch.Tensor]]:
    classes = 2 if key == "scalp_gate" else 4
    settings = ModelSettings(
        key=key,
        architecture="efficientnet-b0",
        image_size=64,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        classes=classes,
    )
    return settings, {name: torch.ones(shape) for name, shape in tensor_shapes("efficientnet-b0", classes).items()}


def test_a_complete_weights_file_is_mapped_not_read(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "full", PROVENANCE, map(complete_model, MODEL_KEYS))
    model, (weights,) = next(bundle.weights())
    assert weights.keys() == tensor_shapes("efficientnet-b0", 4).keys()
    assert str(bundle.folder / model.file) in Path("/proc/self/maps").read_text()


def test_writing_replaces_a_bundle_and_nothing_else(tmp_path: Path, bundle_copy: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").touch()
    with pytest.raises(BundleInvalid, match="not a bundle"):
        write_bundle(tmp_path / "precious", PROVENANCE, map(complete_model, MODEL_KEYS))
    write_bundle(bundle_copy, PROVENANCE, map(complete_model, MODEL_KEYS))
    assert Bundle.open(bundle_copy).reference == "test@1"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "precious"]


def test_a_bundle_that_fails_half_way_leaves_the_earlier_one(tmp_path: Path, bundle_copy: Path) -> None:
    with pytest.raises(BundleInvalid, match="models must be"):
        write_bundle(bundle_copy, PROVENANCE, map(complete_model, MODEL_KEYS[:3]))
    assert Bundle.open(bundle_copy).reference == "demo@1.0.0"
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def ensemble_model(key: str) -> tuple[ModelSettings, list[dict[str, torch.Tensor]]]:
    settings, weights = complete_model(key)
    return settings, [weights, {name: 2 * tensor for name, tensor in weights.items()}]


def test_several_weights_of_one_model_make_an_ensemble(tmp_path: Path) -> None:
    models = [ensemble_model(key) if key == "dandruff" else complete_model(key) for key in MODEL_KEYS]
    bundle = write_bundle(tmp_path / "ensemble", PROVENANCE, models)
    assert list(bundle.model("dandruff").files) == ["dandruff.safetensors", "dandruff-2.safetensors"]
    networks = {model.key: weights for model, weights in Bundle.open(bundle.folder).weights()}
    assert [len(networks[key]) for key in MODEL_KEYS] == [1, 1, 1, 1, 2, 1, 1]
    assert [float(weights["_fc.bias"][0]) for weights in networks["dandruff"]] == [1, 2]
    path = bundle.folder / "dandruff-2.safetensors"
    save_file({"_fc.bias": torch.zeros(4)}, path)
    alter_model(bundle.folder, "dandruff", ensemble={path.name: hashlib.sha256(path.read_bytes()).hexdigest()})
    with pytest.raises(BundleInvalid, match=r"dandruff-2\.safetensors lacks"):
        Bundle.open(bundle.folder)


def test_a_bundle_says_how_many_passes_a_photo_takes(bundle_copy: Path) -> None:
    alter_model(bundle_copy, "dandruff", flips="horizontal")
    alter_model(bundle_copy, "hair_loss", flips="both")
    assert [model.passes for model in Bundle.open(bundle_copy).manifest.models] == [1, 1, 1, 1, 2, 4, 1]


def grown_model(key: str) -> tuple[ModelSettings, dict[str, torch.Tensor]]:
    """One of seven heads on two bases: the gate on one, the graders on the other."""
    settings, weights = complete_model(key)
    file = "gate-trunk" if key == "scalp_gate" else "trunk"
    head = {name: tensor for name, tensor in weights.items() if name.startswith("_fc.")}
    return settings.model_copy(update={"base": f"grown:efficientnet-b0:{file}.safetensors"}), head


def lite_trunk(value: float) -> dict[str, torch.Tensor]:
    shapes = trunk_shapes("efficientnet-lite0")
    return {name: torch.full(shape, value, dtype=torch.float16) for name, shape in shapes.items()}


@pytest.fixture(scope="module")
def grown_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("bundles") / "grown"
    trunks = {"trunk.safetensors": lite_trunk(0.5), "gate-trunk.safetensors": lite_trunk(0.25)}
    return write_bundle(folder, PROVENANCE, map(grown_model, MODEL_KEYS), trunks)


def test_models_grow_from_files_of_the_bundle_and_share_what_grew(grown_bundle: Bundle) -> None:
    assert load_file(grown_bundle.folder / "trunk.safetensors")["_bn0.bias"].dtype == torch.float16
    opened = Bundle.open(grown_bundle.folder)
    weights = {model.key: weights for model, (weights,) in opened.weights()}
    for key, value in (("dandruff", 0.5), ("scalp_gate", 0.25)):
        assert weights[key].keys() == tensor_shapes("efficientnet-b0", 4).keys()
        assert torch.equal(weights[key]["_conv_stem.weight"], torch.full((32, 3, 3, 3), value))
    wide = "_conv_head.weight"
    assert weights["dandruff"][wide].data_ptr() == weights["hair_loss"][wide].data_ptr()


def test_models_share_a_base_of_their_own_architecture(tmp_path: Path) -> None:
    def model(key: str) -> tuple[ModelSettings, dict[str, torch.Tensor]]:
        settings, weights = grown_model(key)
        return settings.model_copy(update={"base": "file:efficientnet-b0:trunk.safetensors"}), weights

    shapes = trunk_shapes("efficientnet-b0")
    trunk = {name: torch.full(shape, 0.5, dtype=torch.float16) for name, shape in shapes.items()}
    bundle = write_bundle(tmp_path / "shared", PROVENANCE, map(model, MODEL_KEYS), {"trunk.safetensors": trunk})
    (first,), (second,) = (weights for _, weights in list(bundle.weights())[:2])
    assert first.keys() == tensor_shapes("efficientnet-b0", 4).keys()
    assert torch.equal(first["_conv_stem.weight"], torch.full((32, 3, 3, 3), 0.5))
    assert first["_conv_stem.weight"].data_ptr() == second["_conv_stem.weight"].data_ptr()
    with pytest.raises(BundleInvalid, match="efficientnet-b0 without its last layer"):
        write_bundle(tmp_path / "wrong", PROVENANCE, map(model, MODEL_KEYS), {"trunk.safetensors": lite_trunk(1)})


DISTANCE = {name: torch.ones(shape) for name, shape in extra_tensors(1280).items()}


def test_a_gate_may_hold_the_tensors_of_its_distance(bundle_copy: Path) -> None:
    assert Bundle.open(bundle_copy).distance() == {}
    alter_tensors(bundle_copy, "scalp_gate", DISTANCE)
    bundle = Bundle.open(bundle_copy)
    assert bundle.distance().keys() == DISTANCE.keys()
    (gate,) = [networks[0] for model, networks in bundle.weights() if model.key == "scalp_gate"]
    assert not gate.keys() & DISTANCE.keys()


@pytest.mark.parametrize(
    ("key", "changes", "says"),
    [
        ("scalp_gate", dict([next(iter(DISTANCE.items()))]), "lacks 1 tensors"),
        ("scalp_gate", {name: torch.ones(3) for name in DISTANCE}, "shape"),
        ("scalp_gate", {name: tensor * float("nan") for name, tensor in DISTANCE.items()}, "not finite"),
        ("dandruff", DISTANCE, "not part of"),
    ],
)
def test_tensors_of_a_distance_fit_the_gate_or_the_bundle_does_not_open(
    key: str, changes: dict[str, torch.Tensor], says: str, bundle_copy: Path
) -> None:
    alter_tensors(bundle_copy, key, changes)
    with pytest.raises(BundleInvalid, match=says):
        Bundle.open(bundle_copy)


def altered_trunk(changes: dict[str, torch.Tensor | None]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / "trunk.safetensors"
        tensors = {n: t for n, t in {**load_file(path), **changes}.items() if t is not None}
        save_file({name: tensor.clone() for name, tensor in tensors.items()}, path)
        manifest = json.loads((folder / "bundle.json").read_text())
        bases = {**manifest["bases"], path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
        manifest_with(bases=bases)(folder)

    return damage


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda folder: (folder / "trunk.safetensors").unlink(), "missing"),
        (lambda folder: (folder / "trunk.safetensors").open("ab").write(b"x"), "SHA-256"),
        (altered_trunk({"_bn0.bias": None}), "lacks 1 tensors"),
        (altered_trunk({"_bn0.bias": torch.zeros(31)}), "shape"),
        (altered_trunk({"_bn0.bias": torch.full((32,), float("nan"))}), "not finite"),
        (altered_trunk({"_bn0.bias": torch.zeros(32, dtype=torch.int64)}), "int64"),
        (altered_trunk({"_fc.bias": torch.zeros(4)}), "_fc.bias"),
        (manifest_with(bases={}), "bases"),
    ],
)
def test_a_bundle_with_a_damaged_base_does_not_open(
    damage: Callable[[Path], Any], says: str, grown_bundle: Bundle, tmp_path: Path
) -> None:
    folder = copy_bundle(grown_bundle, tmp_path / "copy")
    Bundle.open(folder)
    damage(folder)
    with pytest.raises(BundleInvalid, match=says):
        Bundle.open(folder)
