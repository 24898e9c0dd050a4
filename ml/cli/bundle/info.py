"""`python -m ml bundle verify` and `info`: check and describe a bundle."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.cli.predict import default_bundle
from ml.errors import BundleInvalid

if TYPE_CHECKING:
    from ml.bundle import Bundle
    from ml.bundle.manifest import ModelSpec
    from ml.parity import Parity


def register(actions: Any) -> None:
    for name, summary in (
        ("verify", "check hashes and every tensor of a bundle"),
        ("info", "verify a bundle and describe it"),
    ):
        action = actions.add_parser(name, help=summary, description=summary.capitalize() + ".")
        action.add_argument("bundle", nargs="?", type=Path, help="folder (default: SCALP_BUNDLE, else the demo)")
        action.add_argument("--json", action="store_true", help="one JSON document instead of text")
        if name == "info":
            action.add_argument(
                "--parity",
                action="store_true",
                help="also compare each runtime of this machine with eager float32: a minute, longer in 8 bits",
            )
        action.set_defaults(run=verify if name == "verify" else info)


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
        print(f"{folder}: bundle {bundle.reference} is valid")
    return 0


def info(options: argparse.Namespace) -> int:
    from ml.bundle import Bundle
    from ml.networks.flops import gflop

    bundle = Bundle.open(options.bundle or default_bundle())
    manifest = bundle.manifest
    parities = _parities(bundle) if options.parity else []
    costs = [(model.passes, model.passes * gflop(model.architecture, model.image_size)) for model in manifest.models]
    passes, gflops = (sum(column) for column in zip(*costs, strict=True))
    if options.json:
        whole = manifest.model_dump(exclude_none=True)
        for model_, (model_passes, model_gflops) in zip(whole["models"], costs, strict=True):
            model_.update(passes=model_passes, gflop=round(model_gflops, 3))
        if options.parity:
            whole["parity"] = [asdict(parity) for parity in parities]
        print(json.dumps({**whole, "passes": passes, "gflop": round(gflops, 3)}, indent=2, ensure_ascii=False))
        return 0
    print(f"{manifest.name} {manifest.version}{' (demo)' if manifest.demo else ''}")
    print(f"License: {manifest.licence}")
    print(f"Trained on: {manifest.trained_on}")
    if manifest.parent:
        print(f"Parent: {manifest.parent}")
    if manifest.adapted:
        print(f"Adapted: {manifest.adapted}")
    print(f"Cost per photo: {passes} forward passes, {gflops:.1f} GFLOP")
    for model, (model_passes, model_gflops) in zip(manifest.models, costs, strict=True):
        base = f" on {model.base}" if model.base else ""
        output = f", {model.output}" if model.output != "softmax" else ""
        rated = "" if model.rated else ", not rated"
        reach = f", reach {model.reach:g}" if model.reach else ""
        metrics = "".join(f", {name} {value:.3g}" for name, value in model.metrics.items())
        print(
            f"  {model.key:<30} {model.architecture} at {model.image_size}×{model.image_size}{base}{output}, "
            f"threshold {model.threshold:g}{rated}{reach}, temperature {model.temperature:g}, "
            f"{_passes(model, model_passes)}, {model_gflops:.1f} GFLOP{metrics}"
        )
    for parity in parities:
        print(
            f"Parity of {parity.runtime} in {parity.precision} with eager float32 on {parity.pictures} synthetic "
            f"pictures: probabilities differ by at most {parity.largest:.2g}, {parity.changed:.1%} of the grades and "
            f"{parity.turned:.1%} of the gate's decisions change"
        )
    return 0


def _parities(bundle: Bundle) -> list[Parity]:
    from ml.parity import measure_parity
    from ml.runtimes.choice import INT8, available_runtimes, int8_available, open_runtime

    # The others are compared with eager torch on the CPU.
    runtimes = [open_runtime(name) for name in (*available_runtimes(), *([INT8] if int8_available() else []))]
    return [measure_parity(bundle, each) for each in runtimes if (each.name, each.device) != ("eager", "cpu")]


def _passes(model: ModelSpec, passes: int) -> str:
    """`1 pass`, or the number with its reasons: `8 passes (2 networks, flips both)`."""
    networks = [f"{len(model.files)} networks"] if len(model.files) > 1 else []
    flips = [f"flips {model.flips}"] if model.flips != "none" else []
    reasons = f" ({', '.join(networks + flips)})" if passes > 1 else ""
    return f"{passes} pass{'es' if passes > 1 else ''}{reasons}"
