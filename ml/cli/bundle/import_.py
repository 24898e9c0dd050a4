"""`python -m ml bundle import`: a bundle from existing weights."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ml.cli.bundle.usage import read_provenance, report_misuse
from ml.labels import MODEL_KEYS


def register(actions: Any) -> None:
    import_ = actions.add_parser(
        "import",
        help="make a bundle from existing weights",
        description="Make a bundle from PyTorch weights of an earlier system: state dicts or whole networks of "
        "efficientnet-pytorch (b0 to b7) or torchvision (v2). The architecture is recognized from the tensors.",
    )
    import_.add_argument(
        "folder",
        nargs="?",
        type=Path,
        help="folder of files that are named after a model key, or end in its number 1 to 7",
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
        "--trained-on", default="Not stated.", help="what the models were trained on (default: %(default)s)"
    )
    import_.add_argument("--image-size", type=int, help="side of the input in pixels (default: the network's own)")
    import_.add_argument(
        "--padding-size",
        type=int,
        help="image size that networks of efficientnet-pytorch were built with, if it is not the image size: their "
        "padding depends on it, and a state dict does not contain it",
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
        help="lowest probability of a scalp that passes (default: %(default)s)",
    )
    import_.add_argument("--gate-passes-all", action="store_true", help="use no gate, and say so in the bundle")
    import_.add_argument("--allow-pickle", action="store_true", help="read pickled networks, which can run any code")
    import_.set_defaults(run=import_command)


def import_command(options: argparse.Namespace) -> int:
    from ml.build.from_foreign import ImportOptions, find_weights, import_bundle

    files = find_weights(options.folder) if options.folder else {}
    for pair in options.key:
        key, _, file = pair.partition("=")
        if key not in MODEL_KEYS or not file:
            return report_misuse(f"--key must be KEY=FILE with one of {', '.join(MODEL_KEYS)}, not {pair!r}.")
        files[key] = Path(file)
    if options.allow_pickle:
        print(
            "Warning: a pickled network can run any code. Only continue with files that you trust.",
            file=sys.stderr,
        )
    try:
        provenance = read_provenance(options, demo=False)
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
        return report_misuse(error)
    print(f"{bundle.folder}: bundle {bundle.reference}, verified")
    return 0
