"""Read, verify and write bundles. A bundle that does not verify does not open."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError
from safetensors.torch import save_file

from ml.bundle.bases import file_of, open_base
from ml.bundle.manifest import Manifest, ModelSettings, ModelSpec, Provenance
from ml.bundle.verification import (
    MANIFEST_FILE,
    distance_shapes,
    read_manifest,
    read_tensors,
    sha256_of,
    tensor_names,
    verify_base,
    verify_hash,
    verify_model,
)
from ml.errors import BundleInvalid
from ml.labels import GATE
from ml.networks.registry import Network, Weights, describe, tensor_shapes
from ml.validation import first_fault


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified bundle, made by `Bundle.open`."""

    folder: Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: Path | str) -> Bundle:
        """Read and verify a bundle: schema, keys, hashes, every tensor's name, shape, type and values.

        Raises BundleInvalid with a sentence that names the file and what to do.
        """
        folder = Path(folder)
        bundle = cls(folder, read_manifest(folder / MANIFEST_FILE))
        for file, sha256 in bundle.manifest.bases.items():
            verify_hash(folder / file, sha256)
        for name in {model.base for model in bundle.manifest.models if model.base is not None}:
            verify_base(folder, name)
        for model in bundle.manifest.models:
            verify_model(folder, model)
        bundle._verify_reach()
        return bundle

    @property
    def name(self) -> str:
        """The name in the manifest."""
        return self.manifest.name

    @property
    def version(self) -> str:
        """The version in the manifest."""
        return self.manifest.version

    @property
    def reference(self) -> str:
        """Name and version as results store them: `demo@1.0.0`."""
        return f"{self.name}@{self.version}"

    @property
    def demo(self) -> bool:
        """Whether results are to be marked as a demonstration."""
        return self.manifest.demo

    def model(self, key: str) -> ModelSpec:
        """The model of a key of `ml.labels.MODEL_KEYS`. Raises KeyError."""
        return {model.key: model for model in self.manifest.models}[key]

    def networks(self) -> Iterator[tuple[ModelSpec, tuple[Network, ...]]]:
        """Each model with its networks, in the manifest's order.

        Weights are read on demand, which must happen before the next model is taken. Files are memory-mapped, and
        models on the same base share its memory. A base is released after the last model that builds on it.
        """
        bases: dict[str, Weights] = {}
        left = [model.base for model in self.manifest.models]
        for model in self.manifest.models:
            left.pop(0)
            yield model, tuple(self._network(model, file, bases) for file in model.files)
            if model.base is not None and model.base not in left:
                bases.pop(model.base, None)

    def weights(self) -> Iterator[tuple[ModelSpec, tuple[Weights, ...]]]:
        """Each model with the complete float32 weights of its networks, in the order of `networks`."""
        for model, networks in self.networks():
            yield model, tuple(network.weights() for network in networks)

    def _verify_reach(self) -> None:
        limited = [model.key for model in self.manifest.models if model.reach is not None]
        if limited and not self.distance():
            raise BundleInvalid(
                f"{self.folder / MANIFEST_FILE} limits the reach of {', '.join(limited)}, but the gate in this bundle "
                "measures no distance. Fit a gate with `python -m ml gate fit`, or leave `reach` out."
            )

    def _network(self, model: ModelSpec, file: str, bases: dict[str, Weights]) -> Network:
        names = tensor_shapes(model.architecture, model.outputs).keys()
        head = describe(model.architecture).head
        base_file = file_of(model.base) if model.base is not None else None
        stored = tensor_names(self.folder / file) & names
        # A file that contains only a head does not affect the layers below it.
        below = model.files[file] if any(not name.startswith(f"{head}.") for name in stored) else ""
        source = [model.architecture, model.base or "", self.manifest.bases.get(base_file or "", ""), below]

        def read() -> Weights:
            if model.base is not None and model.base not in bases:
                bases[model.base] = open_base(model.base, self.folder).weights()
            return {**bases.get(model.base or "", {}), **self._read(file, names)}

        last = self._read(file, {f"{head}.weight", f"{head}.bias"})
        return Network(
            digest=hashlib.sha256(" ".join(source).encode()).hexdigest(),
            head=(last[f"{head}.weight"], last[f"{head}.bias"]),
            weights=read,
        )

    def distance(self) -> Weights:
        """The tensors of the gate's distance (`ml.gate`), empty if it has none."""
        gate = self.model(GATE.key)
        return self._read(gate.file, distance_shapes(gate).keys())

    def _read(self, file: str, names: Set[str]) -> Weights:
        return {name: tensor.float() for name, tensor in read_tensors(self.folder / file, names)}


def write_bundle(
    folder: Path | str,
    provenance: Provenance,
    models: Iterable[tuple[ModelSettings, Weights | Sequence[Weights]]],
    bases: Mapping[str, Weights] = MappingProxyType({}),
) -> Bundle:
    """Write and verify a bundle. One model's weights are in memory at a time if `models` is a generator.

    A model with several weights becomes an ensemble. `bases` are, by file, the tensors that models on
    `file:…:trunk.safetensors` or `grown:…:trunk.safetensors` build on: all but the last linear layer, of
    EfficientNet-lite0 if they grow. Tensors keep their type. The folder is written atomically and replaces an earlier
    bundle. Raises BundleInvalid if the folder contains anything else, or if the models do not make a bundle.
    """
    folder = Path(folder).resolve()
    if folder.exists() and not (folder / MANIFEST_FILE).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise BundleInvalid(f"{folder} exists and is not a bundle. Name a new folder.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        draft.chmod(0o755)
        hashes = {file: _write_weights(draft / file, weights) for file, weights in bases.items()}
        specs = [_write_model(draft, settings, weights) for settings, weights in models]
        try:
            manifest = Manifest(**provenance.model_dump(), bases=hashes, models=tuple(specs))
        except ValidationError as error:
            raise BundleInvalid(f"{folder}: {first_fault(error)}") from error
        text = json.dumps(
            {"format": manifest.format, **manifest.model_dump(exclude_none=True)},
            indent=2,
            ensure_ascii=False,
        )
        (draft / MANIFEST_FILE).write_text(text + "\n", encoding="utf-8")
        Bundle.open(draft)
        _replace_folder(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Bundle(folder, manifest)


def _replace_folder(draft: Path, folder: Path) -> None:
    if not folder.exists():
        draft.rename(folder)
        return
    earlier = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    os.replace(folder, earlier)
    draft.rename(folder)
    shutil.rmtree(earlier)


def _write_model(folder: Path, settings: ModelSettings, weights: Weights | Sequence[Weights]) -> ModelSpec:
    first, *others = [weights] if isinstance(weights, Mapping) else weights
    file = f"{settings.key}.safetensors"
    sha256 = _write_weights(folder / file, first)
    names = [f"{settings.key}-{number}.safetensors" for number in range(2, len(others) + 2)]
    ensemble = {name: _write_weights(folder / name, other) for name, other in zip(names, others, strict=True)}
    return ModelSpec(**settings.model_dump(), file=file, sha256=sha256, ensemble=ensemble)


def _write_weights(path: Path, weights: Weights) -> str:
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, path)
    # safetensors makes files readable only by their owner, but the service may run as another user.
    path.chmod(0o644)
    return sha256_of(path)
