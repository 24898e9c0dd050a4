"""Verification of bundles: manifest, hashes, and every tensor's name, shape, type and values."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open

from ml.bundle.bases import file_of, open_base
from ml.bundle.manifest import Manifest, ModelSpec
from ml.errors import BundleInvalid
from ml.gate import extra_tensors
from ml.labels import GATE
from ml.networks.registry import describe, tensor_shapes, trunk_shapes
from ml.validation import first_fault

MANIFEST_FILE = "bundle.json"
_MAX_MANIFEST_BYTES = 1_000_000
_STORED_TYPES = (torch.float16, torch.bfloat16, torch.float32)
_REMEDY = "Copy the bundle again, or rebuild it with `python -m ml bundle`."


def read_manifest(path: Path) -> Manifest:
    """The manifest in this file. Raises BundleInvalid."""
    if not path.is_file():
        raise BundleInvalid(f"{path}: no such file, so {path.parent} is not a bundle. Check the path.")
    if path.stat().st_size > _MAX_MANIFEST_BYTES:
        raise BundleInvalid(f"{path} is too large for a manifest. {_REMEDY}")
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise BundleInvalid(f"{path}: {first_fault(error)}. {_REMEDY}") from error


def verify_base(folder: Path, name: str) -> None:
    """Check the base of this name and, if it is a file, its tensors. Raises BundleInvalid."""
    try:
        base = open_base(name, folder)
    except ValueError as error:
        raise BundleInvalid(
            f"{folder / MANIFEST_FILE}: {error} Use a version of the software that supports it."
        ) from error
    file = file_of(name)
    if file is not None and base.source is not None:
        shapes = trunk_shapes(base.source)
        _verify_tensors(folder / file, f"{base.source} without its last layer", shapes, shapes.keys())


def verify_model(folder: Path, model: ModelSpec) -> None:
    """Check hash and tensors of each file of a model. Raises BundleInvalid."""
    expected = tensor_shapes(model.architecture, model.outputs)
    required = expected.keys() - _base_shapes(folder, model).keys()
    for file, sha256 in model.files.items():
        path = folder / file
        verify_hash(path, sha256)
        extra = distance_shapes(model) if file == model.file else {}
        some = extra.keys() & {name for name, _ in read_tensors(path)}
        _verify_tensors(
            path,
            f"{model.architecture} for {model.outputs} outputs",
            {**expected, **extra},
            required | (extra.keys() if some else set()),
        )


def distance_shapes(model: ModelSpec) -> Mapping[str, tuple[int, ...]]:
    """Additional tensors that the gate's weights may contain: all of them or none."""
    if model.key != GATE.key:
        return {}
    head = f"{describe(model.architecture).head}.weight"
    return extra_tensors(tensor_shapes(model.architecture, model.outputs)[head][1])


def verify_hash(path: Path, sha256: str) -> None:
    """Check that the file has this SHA-256. Raises BundleInvalid."""
    if not path.is_file():
        raise BundleInvalid(f"{path} is missing. {_REMEDY}")
    if sha256_of(path) != sha256:
        raise BundleInvalid(f"{path} is not the file in {MANIFEST_FILE}: its SHA-256 differs. {_REMEDY}")


def _verify_tensors(path: Path, network: str, expected: Mapping[str, tuple[int, ...]], required: Set[str]) -> None:
    found: set[str] = set()
    for name, tensor in read_tensors(path):
        found.add(name)
        if name not in expected:
            raise BundleInvalid(f"{path} has a tensor {name!r}, which is not part of {network}. {_REMEDY}")
        if tuple(tensor.shape) != expected[name]:
            raise BundleInvalid(
                f"{path}: {name} has shape {list(tensor.shape)}, but {network} needs {list(expected[name])}. {_REMEDY}"
            )
        if tensor.dtype not in _STORED_TYPES:
            raise BundleInvalid(f"{path}: {name} is {tensor.dtype}, but weights must be floating point. {_REMEDY}")
        if not bool(torch.isfinite(tensor).all()):
            raise BundleInvalid(f"{path}: {name} has values that are not finite. {_REMEDY}")
    missing = required - found
    if missing:
        raise BundleInvalid(f"{path} lacks {len(missing)} tensors of {network}, such as {min(missing)!r}. {_REMEDY}")


def _base_shapes(folder: Path, model: ModelSpec) -> Mapping[str, tuple[int, ...]]:
    if model.base is None:
        return {}
    base = open_base(model.base, folder)
    if base.architecture != model.architecture:
        raise BundleInvalid(
            f"{folder / model.file} is a delta on {model.base!r}, but its model is {model.architecture}. {_REMEDY}"
        )
    return base.shapes


def tensor_names(path: Path) -> set[str]:
    """The names in a safetensors file."""
    with safe_open(path, framework="pt") as file:
        return set(file.keys())


def read_tensors(path: Path, names: Set[str] | None = None) -> Iterator[tuple[str, torch.Tensor]]:
    """Names and memory-mapped tensors of a safetensors file: all of them, or only these names.

    Raises BundleInvalid.
    """
    try:
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - safe_open is not a mapping.
                if names is None or name in names:
                    yield name, file.get_tensor(name)
    except (SafetensorError, OSError) as error:
        raise BundleInvalid(f"{path} cannot be read as a safetensors file: {error}. {_REMEDY}") from error


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
