"""Ways to alter a copy of a bundle, keeping its hashes true."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from ml.bundle import Bundle


def copy_bundle(bundle: Bundle, folder: Path) -> Path:
    shutil.copytree(bundle.folder, folder)
    return folder


def alter_model(folder: Path, key: str, **changes: Any) -> None:
    """Change what the manifest says of one model."""
    manifest = json.loads((folder / "bundle.json").read_text())
    next(model for model in manifest["models"] if model["key"] == key).update(changes)
    (folder / "bundle.json").write_text(json.dumps(manifest))


def alter_tensors(folder: Path, key: str, changes: Mapping[str, torch.Tensor | None]) -> None:
    """Replace, add or (None) drop tensors of one model; the manifest's hash follows."""
    path = folder / f"{key}.safetensors"
    tensors = {name: tensor.clone() for name, tensor in load_file(path).items()}
    save_file({n: t for n, t in {**tensors, **changes}.items() if t is not None}, path)
    rehash(folder, key)


def rehash(folder: Path, key: str) -> None:
    data = (folder / f"{key}.safetensors").read_bytes()
    alter_model(folder, key, sha256=hashlib.sha256(data).hexdigest())
