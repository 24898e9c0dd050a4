"""`python -m ml bundle`: build, verify, import and look at bundles."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.cli.predict import default_bundle
from ml.errors import BundleInvalid
from ml.labels import MODEL_KEYS

if TYPE_CHECKING:
    from ml.manifest import ModelSpec

_ARCHITECTURE_HELP = "a name of the registry, such as efficientnet-b7 or efficientnet-v2-s"


def register(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "bundle",
        help="build, verify, import or describe a bundle",
        description="Bundles: the seven models as a folder.",
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    _register_build(actions)
    _register_import(actions)
    for name, says in (
        ("verify", "check hashes and every tensor of a bundle"),
        ("info", "say what a bundle holds, after verifying it"),
    ):
        action = actions.add_parser(name, help=says, description=says.capitalize() + ".")
        action.add_argument("bundle", nargs="?", type=Path, help="its folder (default: SCALP_BUNDLE, else the demo)")
        action.add_argument("--json", action="store_true", help="one JSON document instead of text")
        action.set_defaults(run=verify if name == "verify" else info)


def _register_build(actions: Any) -> None:
    build_ = actions.add_parser(
        "build",
        help="build a demo bundle of seeded networks",
        description="Build a bundle of seven untrained networks with calibrated statistics: real networks at real "
        "cost whose answers mean nothing. The n-th model uses the seed plus n.",
    )
    build_.add_argument("--seeded", action="store_true", required=True, help="from seeds; the one way there is so far")
    build_.add_argument("--architecture", required=True, help=_ARCHITECTURE_HELP)
    build_.add_argument("--image-size", type=int, required=True, help="side of the square input in pixels")
    build_.add_argument("--seed", type=int, required=True, help="seed of the first model")
    build_.add_argument("--out", type=Path, required=True, help="folder to write; an earlier bundle there is replaced")
    build_.add_argument("--name", default="demo", help="(default: %(default)s)")
    build_.add_argument("--version", default="1.0.0", help="(default: %(default)s)")
    build_.add_argument(
        "--gate-threshold", type=float, default=0.0, help="0 passes every photo, 1.01 none (default: %(default)s)"
    )
    build_.add_argument(
        "--grader-threshold",
        type=float,
        default=0.4,
        help="confidence below which a grader abstains (default: %(default)s)",
    )
    build_.set_defaults(run=build)


def _register_import(actions: Any) -> None:
    import_ = actions.add_parser(
        "import",
        help="make a bundle of weights that you own",
        description="Make a bundle of PyTorch weights from an earlier system: state dicts or whole networks of "
        "efficientnet-pytorch (b0 to b7) or torchvision (v2). The architecture is found from the tensors.",
    )
    import_.add_argument(
        "folder", nargs="?", type=Path, help="folder of files named after a model key, or ending in its number 1 to 7"
    )
    import_.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="KEY=FILE",
        help=f"one model's file; keys: {', '.join(MODEL_KEYS)}",
    )
    import_.add_argument("--out", type=Path, required=True, help="folder to write; an earlier bundle there is replaced")
    import_.add_argument("--name", default="imported", help="(default: %(default)s)")
    import_.add_argument("--version", default="1.0.0", help="(default: %(default)s)")
    import_.add_argument("--licence", default="Not stated.", help="who may use the weights (default: %(default)s)")
    import_.add_argument(
        "--trained-on", default="Not stated.", help="what the models learnt from (default: %(default)s)"
    )
    import_.add_argument("--image-size", type=int, help="side of the input in pixels (default: the network's own)")
    import_.add_argument(
        "--padding-size",
        type=int,
        help="image size that the networks of efficientnet-pytorch were built with, where it is not the image size: "
        "their padding depends on it, and a state dict doesn't say",
    )
    import_.add_argument("--mean", type=float, nargs=3, metavar=("R", "G", "B"), help="(default: ImageNet's)")
    import_.add_argument("--std", type=float, nargs=3, metavar=("R", "G", "B"), help="(default: ImageNet's)")
    import_.add_argument("--aspect", choices=("stretch", "crop"), default="stretch", help="(default: %(default)s)")
    import_.add_argument(
        "--interpolation", choices=("bicubic", "bilinear"), default="bicubic", help="(default: %(default)s)"
    )
    import_.add_argument(
        "--threshold", type=float, default=0.0, help="confidence below which a grader abstains (default: %(default)s)"
    )
    import_.add_argument(
        "--gate-threshold",
        type=float,
        default=0.5,
        help="least probability of a scalp that passes (default: %(default)s)",
    )
    import_.add_argument("--gate-passes-all", action="store_true", help="do without a gate, and say so in the bundle")
    import_.add_argument("--allow-pickle", action="store_true", help="read pickled networks, which may run any code")
    import_.set_defaults(run=import_command)


def build(options: argparse.Namespace) -> int:
    from ml.seeded import build_seeded_bundle

    try:
        bundle = build_seeded_bundle(
            options.out,
            architecture=options.architecture,
            image_size=options.image_size,
            seed=options.seed,
            name=options.name,
            version=options.version,
            gate_threshold=options.gate_threshold,
            grader_threshold=options.grader_threshold,
        )
    except ValueError as error:
        return _misused(error)
    print(f"{bundle.folder}: bundle {bundle.reference}, verified")
    return 0


def import_command(options: argparse.Namespace) -> int:
    from ml.imported import ImportOptions, find_weights, import_bundle
    from ml.manifest import Provenance

    files = find_weights(options.folder) if options.folder else {}
    for pair in options.key:
        key, _, file = pair.partition("=")
        if key not in MODEL_KEYS or not file:
            return _misused(f"--key wants KEY=FILE with a key of {', '.join(MODEL_KEYS)}, not {pair!r}.")
        files[key] = Path(file)
    if options.allow_pickle:
        print(
            "Warning: a pickled network runs whatever code it carries. Only go on with files you trust.",
            file=sys.stderr,
        )
    try:
        provenance = Provenance(
            name=options.name,
            version=options.version,
            licence=options.licence,
            trained_on=options.trained_on,
            demo=False,
        )
        bundle = import_bundle(
            options.out,
            files,
            provenance,
            ImportOptions(
                image_size=options.image_size,
                padding_size=options.padding_size,
                mean=tuple(options.mean) if options.mean else None,
                std=tuple(options.std) if options.std else None,
                aspect=options.aspect,
                interpolation=options.interpolation,
                threshold=options.threshold,
                gate_threshold=options.gate_threshold,
                gate_passes_all=options.gate_passes_all,
                allow_pickle=options.allow_pickle,
            ),
        )
    except ValueError as error:
        return _misused(error)
    print(f"{bundle.folder}: bundle {bundle.reference}, verified")
    return 0


def verify(options: argparse.Namespace) -> int:
    from ml.bundle import Bundle

    folder = options.bundle or default_bundle()
    try:
        bundle = Bundle.open(folder)
    except BundleInvalid as error:
        if not options.json:
            raise
        print(json.dumps({"bundle": str(folder), "valid": False, "detail": str(error)}, ensure_ascii=False))
        return 1
    if options.json:
        print(json.dumps({"bundle": str(folder), "valid": True, "reference": bundle.reference}, ensure_ascii=False))
    else:
        print(f"{folder}: bundle {bundle.reference} is whole")
    return 0


def info(options: argparse.Namespace) -> int:
    from ml.bundle import Bundle
    from ml.cost import gflop

    manifest = Bundle.open(options.bundle or default_bundle()).manifest
    costs = [(model.passes, model.passes * gflop(model.architecture, model.image_size)) for model in manifest.models]
    passes, gflops = (sum(column) for column in zip(*costs, strict=True))
    if options.json:
        whole = manifest.model_dump(exclude_none=True)
        for model_, (model_passes, model_gflops) in zip(whole["models"], costs, strict=True):
            model_.update(passes=model_passes, gflop=round(model_gflops, 3))
        print(json.dumps({**whole, "passes": passes, "gflop": round(gflops, 3)}, indent=2, ensure_ascii=False))
        return 0
    print(f"{manifest.name} {manifest.version}{' (demo)' if manifest.demo else ''}")
    print(f"Licence: {manifest.licence}")
    print(f"Trained on: {manifest.trained_on}")
    print(f"Cost of a photo: {passes} forward passes, {gflops:.1f} GFLOP")
    for model, (model_passes, model_gflops) in zip(manifest.models, costs, strict=True):
        base = f" on {model.base}" if model.base else ""
        output = f", {model.output}" if model.output != "softmax" else ""
        metrics = "".join(f", {name} {value:.3g}" for name, value in model.metrics.items())
        print(
            f"  {model.key:<30} {model.architecture} at {model.image_size}×{model.image_size}{base}{output}, "
            f"threshold {model.threshold:g}, temperature {model.temperature:g}, {_passes(model, model_passes)}, "
            f"{model_gflops:.1f} GFLOP{metrics}"
        )
    return 0


def _passes(model: ModelSpec, passes: int) -> str:
    """`1 pass`, or how many and what for: `8 passes (2 networks, flips both)`."""
    networks = [f"{len(model.files)} networks"] if len(model.files) > 1 else []
    flips = [f"flips {model.flips}"] if model.flips != "none" else []
    reasons = f" ({', '.join(networks + flips)})" if passes > 1 else ""
    return f"{passes} pass{'es' if passes > 1 else ''}{reasons}"


def _misused(error: Exception | str) -> int:
    from pydantic import ValidationError

    from ml.manifest import first_fault

    print(
        f"python -m ml bundle: {first_fault(error) if isinstance(error, ValidationError) else error}", file=sys.stderr
    )
    return 2
