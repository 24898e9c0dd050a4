"""`python -m ml predict`: grades for photos on disk."""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.errors import PhotoUnreadable
from ml.labels import GRADES, SYMPTOM_NAMES

if TYPE_CHECKING:
    from ml.bundle import Bundle
    from ml.predictor import Prediction

DEMO_BUNDLE = Path(__file__).resolve().parents[1] / "bundles" / "demo"
_REJECTIONS = {
    "not_a_scalp": "this does not look like a scalp",
    "too_far": "this was taken from too far away: part the hair and fill the frame with skin",
    "too_dark": "this is too dark",
    "too_bright": "this is too bright",
    "too_blurred": "this is out of focus",
}


def default_bundle() -> Path:
    """`SCALP_BUNDLE` if it is set, else the demo bundle that ships with the code."""
    return Path(os.environ.get("SCALP_BUNDLE") or DEMO_BUNDLE)


def register(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "predict",
        help="grade photos",
        description="Check with the gate that photos show a scalp, then grade six symptoms and derive the scalp type "
        "and degree.",
    )
    parser.add_argument(
        "photos", nargs="+", type=Path, metavar="PHOTO", help="any picture that Pillow can read, or HEIC"
    )
    parser.add_argument("--bundle", type=Path, help="folder of the models (default: SCALP_BUNDLE, else the demo)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument(
        "--runtime", default="auto", help="auto, eager, openvino, openvino-int8 or graphs (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")
    parser.add_argument(
        "--maps", type=Path, metavar="FOLDER", help="write class activation maps: PHOTO-SYMPTOM.png for each finding"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ml.bundle import Bundle
    from ml.predictor import Predictor

    stems = [path.stem for path in options.photos]
    if options.maps and len(set(stems)) < len(stems):
        print("python -m ml predict: with --maps, all photos need different names", file=sys.stderr)
        return 2
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    predictor = Predictor(Bundle.open(options.bundle or default_bundle()), options.device, options.runtime)
    bundle = predictor.bundle
    answers: list[dict[str, Any]] = []
    for path in options.photos:
        try:
            (prediction,) = predictor.predict([predictor.prepare(path)], maps=options.maps is not None)
        except PhotoUnreadable as error:
            answers.append({"photo": str(path), "error": str(error)})
            continue
        assert prediction is not None, "Nothing watches, so nothing is canceled."
        if options.maps:
            _draw(options.maps, path, prediction, bundle)
        answers.append({"photo": str(path), **_fields(prediction)})
    if options.json:
        whole = {"bundle": bundle.reference, "demo": bundle.demo, "device": predictor.device, "photos": answers}
        print(json.dumps(whole, indent=2, ensure_ascii=False))
    else:
        for answer in answers:
            _show(answer)
        if bundle.demo:
            print(f"Bundle {bundle.reference} is a demo. Trained on: {bundle.manifest.trained_on}")
    return 1 if any("error" in answer for answer in answers) else 0


def _fields(prediction: Prediction) -> dict[str, Any]:
    """A prediction for JSON, without the maps."""
    fields = dataclasses.asdict(prediction)
    fields["refusal"] = fields["rejection"]  # the former name, which scripts may read
    for finding in fields["findings"]:
        del finding["map"]
        finding["abstains"] = finding["abstention"] is not None
    return fields


def _draw(folder: Path, path: Path, prediction: Prediction, bundle: Bundle) -> None:
    from ml.activation_maps import overlay
    from ml.preprocessing import open_photo

    folder.mkdir(parents=True, exist_ok=True)
    photo = open_photo(path)
    for finding in prediction.findings:
        assert finding.map is not None, "It was asked for."
        picture = overlay(photo, finding.map, bundle.model(finding.symptom).aspect)
        picture.save(folder / f"{path.stem}-{finding.symptom}.png")


def _show(answer: dict[str, Any]) -> None:
    if "error" in answer:
        print(answer["error"], file=sys.stderr)
        return
    if not answer["is_scalp"]:
        print(f"{answer['photo']}: rejected, {_REJECTIONS[answer['rejection']]}{_gate(answer)}")
        return
    print(f"{answer['photo']}: {answer['skin']}, {answer['pred']}{_gate(answer)}")
    for finding in answer["findings"]:
        grade = GRADES[finding["grade"]]
        withheld = f"  {finding['abstention']}" if finding["abstention"] else ""
        name = SYMPTOM_NAMES[finding["symptom"]]
        print(f"  {name:<32} {grade.english:<9} {finding['confidence']:.2f}{withheld}")


def _gate(answer: dict[str, Any]) -> str:
    """The gate's figures, if it ran."""
    if answer["scalp_probability"] is None:
        return ""
    distance = "" if answer["scalp_distance"] is None else f", distance {answer['scalp_distance']:.2f}"
    return f" (scalp {answer['scalp_probability']:.2f}{distance})"
