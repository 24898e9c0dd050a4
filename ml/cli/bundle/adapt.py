"""`python -m ml bundle adapt`: adapt a bundle to another scope or population, from unlabeled photographs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.labels import SYMPTOM_NAMES

if TYPE_CHECKING:
    from ml.adaptation.results import Adaptation
    from ml.bundle import Bundle


def register(actions: Any) -> None:
    parser: argparse.ArgumentParser = actions.add_parser(
        "adapt",
        help="adapt a bundle to another scope or population, from unlabeled photographs",
        description="Fit the levels of the graders, the abstention thresholds and the gate's domain to photographs of "
        "a new scope or population, and write a new bundle that names the old one as its parent. The old one does not "
        "change. At least 20 photographs are needed; 50 or more are better.",
    )
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder of the bundle to start from")
    parser.add_argument("photographs", type=Path, metavar="PHOTOS", help="folder of photographs of one scope")
    parser.add_argument("--out", type=Path, required=True, help="folder to write; an earlier bundle there is replaced")
    parser.add_argument(
        "--shares",
        type=Path,
        metavar="FILE",
        help="expected share of each grade by symptom, as CSV or JSON (default: as in the labels of AI Hub's set)",
    )
    parser.add_argument(
        "--reliability",
        type=_reliability,
        action="append",
        default=[],
        metavar="[SYMPTOM=]NUMBER",
        help="how well the graders rank these photographs: correlation of score and truth, above 0 and below 1; "
        "repeatable, for each symptom (default: 0.8 times the QWK in the bundle, or 0.6 if it has none)",
    )
    parser.add_argument(
        "--batch-norm",
        type=_pictures,
        metavar="N",
        help="also blend the networks' batch-norm statistics with those of the photographs; the old ones count as N "
        "pictures (default: the networks do not change)",
    )
    parser.add_argument("--version", help="of the new bundle (default: that of the old one plus +adapted.1)")
    parser.add_argument(
        "--scope",
        default="photographs of another scope or population",
        help="description of the photographs for the model card",
    )
    parser.add_argument(
        "--allow-mixed", action="store_true", help="adapt to photographs that look like those of several scopes"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--runtime", default="auto", help="auto, eager, openvino or graphs (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")
    parser.set_defaults(run=adapt)


def _reliability(text: str) -> dict[str, float]:
    symptom, _, number = text.rpartition("=")
    keys = [symptom] if symptom else list(SYMPTOM_NAMES)
    try:
        value = float(number)
    except ValueError:
        value = 0.0
    if not 0 < value < 1 or keys[0] not in SYMPTOM_NAMES:
        raise argparse.ArgumentTypeError(
            f"{text!r} must be a number above 0 and below 1, optionally after a symptom and =: "
            f"{', '.join(SYMPTOM_NAMES)}"
        )
    return dict.fromkeys(keys, value)


def _pictures(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of pictures")
    return value


def adapt(options: argparse.Namespace) -> int:
    from ml.adaptation.adapt import AdaptationOptions, adapt_bundle
    from ml.adaptation.shares import read_shares
    from ml.bundle import Bundle

    expected: dict[str, Any] = (
        {"shares": read_shares(options.shares), "shares_from": f"in {options.shares.name}"} if options.shares else {}
    )
    bundle, adaptation = adapt_bundle(
        Bundle.open(options.bundle),
        options.photographs,
        options.out,
        AdaptationOptions(
            **expected,
            reliability={key: value for each in options.reliability for key, value in each.items()},
            batch_norm=options.batch_norm,
            version=options.version,
            scope=options.scope,
            allow_mixed=options.allow_mixed,
            device=options.device,
            runtime=options.runtime,
        ),
    )
    if options.json:
        whole = {"bundle": bundle.reference, "folder": str(bundle.folder), **adaptation.as_json()}
        print(json.dumps(whole, indent=2, ensure_ascii=False))
    else:
        _print(bundle, adaptation)
    return 0


def _print(bundle: Bundle, adaptation: Adaptation) -> None:
    from ml.adaptation.results import answered, mean_grade

    print(f"{adaptation.tally.sentence()}; expected shares of grades are those {adaptation.shares_from}")
    print(f"  {'':<32} mean grade     share of good … severe")
    for grader in adaptation.graders:
        before, after = (
            f"{mean_grade(each):.2f} ({' '.join(f'{share:.2f}' for share in answered(each))})"
            for each in (grader.before, grader.after)
        )
        print(f"  {SYMPTOM_NAMES[grader.key]:<32} {before} → {after}, reliability {grader.reliability:g}")
    for sentence in (adaptation.gate, *adaptation.notes):
        print(sentence)
    print(f"{bundle.folder}: bundle {bundle.reference}, verified; its parent is {adaptation.parent}")
