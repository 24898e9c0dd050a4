"""Adapt a bundle to another scope or population, using unlabeled photographs."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from ml.adaptation.batch_norm import blended_files
from ml.adaptation.card import write_adapted_card
from ml.adaptation.domain import Domain, adapt_domain
from ml.adaptation.mixture import require_one_scope
from ml.adaptation.observation import Observation, observe
from ml.adaptation.ordinal import fit_levels
from ml.adaptation.photographs import Tally, read_photographs, require_enough
from ml.adaptation.results import Adaptation, AdaptedGrader
from ml.adaptation.shares import aihub_shares
from ml.bundle import MANIFEST_FILE, Bundle, write_bundle
from ml.bundle.manifest import ModelSettings, ModelSpec, Provenance
from ml.errors import AdaptationInvalid
from ml.evaluation.calibration import choose_threshold
from ml.labels import GATE, SYMPTOMS
from ml.networks.registry import Weights
from ml.preprocessing import Preprocessing, prepare

_ADAPTED_VERSION = re.compile(r"(.*)\+adapted\.(\d+)")

#: The assumed reliability of a grader on other photographs, relative to its QWK on pictures like those of its training,
#: and without a known QWK. If it is too low, rare grades are never the likeliest; if it is too high, the answers are
#: overconfident. In a simulation with the shares of AI Hub's labels and a true reliability of .7, the QWK of hair loss
#: is .27, .38, .47, .52, .54 for an assumed reliability of .5, .6, .7, .8, .9, and the mean confidence exceeds the
#: accuracy by -.01, -.01, .01, .04, .10, for redness by -.05, -.02, .03, .10, .20.
RELIABILITY_PER_QWK = 0.8
DEFAULT_RELIABILITY = 0.6

_BATCH = 8


@dataclass(frozen=True, slots=True)
class AdaptationOptions:
    """How to adapt.

    `shares` `[4]` by symptom are the expected shares of the grades, by default those of AI Hub's labels; `shares_from`
    describes their source. `reliability` by symptom overrides the default (`ml.adaptation.ordinal`). `batch_norm` is N
    of `ml.adaptation.batch_norm`; with None the networks do not change. `scope` describes the photographs.
    `allow_mixed` accepts photographs that look like those of several scopes.
    """

    shares: Mapping[str, np.ndarray] = field(default_factory=dict)
    shares_from: str = "among the labels of AI Hub's set"
    reliability: Mapping[str, float] = field(default_factory=dict)
    batch_norm: float | None = None
    version: str | None = None
    scope: str = "photographs of another scope or population"
    allow_mixed: bool = False
    device: str = "auto"
    runtime: str = "auto"


def adapt_bundle(parent: Bundle, folder: Path, out: Path, options: AdaptationOptions) -> tuple[Bundle, Adaptation]:
    """Adapt a bundle to the photographs of a folder and write the new one into `out`; the parent stays as it is.

    Raises AdaptationInvalid, DataSetInvalid or BundleInvalid for unusable input, before anything is written, and
    ModelError.
    """
    inside = {out.resolve(), *out.resolve().parents}
    if parent.folder.resolve() in inside:
        raise AdaptationInvalid(f"{out} is the bundle itself, which must not change. Name another --out.")
    side = max(model.image_size for model in parent.manifest.models)
    # Before any model is loaded: decoding takes a tenth of the time.
    readable = Tally()
    for _ in read_photographs(folder, side, readable):
        pass
    require_enough(folder, readable)
    tally = Tally()
    seen = observe(parent, read_photographs(folder, side, tally), tally, device=options.device, runtime=options.runtime)
    require_enough(folder, tally)
    mixed = require_one_scope(seen.sizes, allowed=options.allow_mixed)
    files: dict[str, Weights] = {}
    after = seen
    if options.batch_norm is not None:
        photographs = _Photographs(folder, side, seen.places)
        files = blended_files(parent, photographs.batches, options.batch_norm)
        after = _observe_again(parent, files, folder, side, options)
    domain = adapt_domain(parent, seen.features, device=options.device, runtime=options.runtime)
    graders = tuple(_adapt_grader(symptom.key, seen, after, options) for symptom in SYMPTOMS)
    adaptation = Adaptation(
        parent=parent.reference,
        scope=options.scope,
        tally=tally,
        shares_from=options.shares_from,
        batch_norm=options.batch_norm,
        graders=graders,
        gate=domain.sentence,
        reach=domain.reach,
        notes=(mixed,) if mixed else (),
    )
    provenance = Provenance(
        **parent.manifest.model_dump(include=set(Provenance.model_fields) - {"version", "parent", "adapted"}),
        version=options.version or next_version(parent.version),
        parent=f"{parent.reference} sha256:{_sha256(parent.folder / MANIFEST_FILE)}",
        adapted=adaptation.sentence(),
    )
    bundle = _write(parent, out, provenance, files, {grader.key: grader for grader in graders}, domain)
    write_adapted_card(adaptation, parent, bundle)
    return bundle, adaptation


def next_version(version: str) -> str:
    """`2.0.0+adapted.1` after `2.0.0`, `2.0.0+adapted.2` after that."""
    match = _ADAPTED_VERSION.fullmatch(version)
    return f"{match[1]}+adapted.{int(match[2]) + 1}" if match else f"{version}+adapted.1"


def default_reliability(model: ModelSpec) -> float:
    """The default reliability of a grader, based on the QWK in its manifest: .3 to .9."""
    qwk = model.metrics.get("qwk")
    return DEFAULT_RELIABILITY if qwk is None else min(max(RELIABILITY_PER_QWK * qwk, 0.3), 0.9)


def _adapt_grader(key: str, seen: Observation, after: Observation, options: AdaptationOptions) -> AdaptedGrader:
    shares = options.shares.get(key, aihub_shares()[key])
    reliability = options.reliability.get(key, default_reliability(seen.models[key]))
    levels = fit_levels(after.scores(key), shares, reliability)
    probabilities = levels.of_scores(torch.from_numpy(after.scores(key))).numpy()
    confidence = probabilities.max(axis=1)
    return AdaptedGrader(
        key=key,
        shares=shares,
        reliability=reliability,
        levels=levels,
        # A calibrated confidence is the expected share of correct answers.
        threshold=choose_threshold(confidence, confidence),
        before=seen.probabilities(key),
        after=probabilities,
    )


@dataclass(frozen=True, slots=True)
class _Photographs:
    """The photographs that passed the gate, by their indices among the usable ones; read again each time."""

    folder: Path
    side: int
    places: Collection[int]

    def __iter__(self) -> Iterator[Image.Image]:
        wanted = frozenset(self.places)
        for place, photo in enumerate(read_photographs(self.folder, self.side, Tally())):
            if place in wanted:
                yield photo

    def batches(self, spec: Preprocessing) -> Iterator[torch.Tensor]:
        photographs = iter(self)
        while some := list(islice(photographs, _BATCH)):
            yield torch.stack([prepare(photo, {spec}).tensors[spec] for photo in some])


def _observe_again(
    parent: Bundle, files: Mapping[str, Weights], folder: Path, side: int, options: AdaptationOptions
) -> Observation:
    """The parent's answers with these weights files."""
    with tempfile.TemporaryDirectory() as draft:
        provenance = Provenance(**parent.manifest.model_dump(include=set(Provenance.model_fields)))
        bundle = _write(parent, Path(draft) / "bundle", provenance, files, {}, None)
        tally = Tally()
        return observe(
            bundle, read_photographs(folder, side, tally), tally, device=options.device, runtime=options.runtime
        )


def _write(
    parent: Bundle,
    out: Path,
    provenance: Provenance,
    files: Mapping[str, Weights],
    graders: Mapping[str, AdaptedGrader],
    domain: Domain | None,
) -> Bundle:
    """Write a copy of the parent with these weights files and with the results for the graders and the gate."""

    def weights(file: str) -> Weights:
        return files[file] if file in files else load_file(parent.folder / file)

    def models() -> Iterator[tuple[ModelSettings, list[Weights]]]:
        for model in parent.manifest.models:
            settings: dict[str, Any] = model.model_dump(include=set(ModelSettings.model_fields))
            if (grader := graders.get(model.key)) is not None:
                settings |= {"levels": grader.levels, "threshold": grader.threshold}
                if domain is not None and domain.reach is not None:
                    settings |= {"reach": domain.reach}
            own = [weights(file) for file in model.files]
            if model.key == GATE.key and domain is not None:
                own[0] = {**own[0], **domain.tensors}
            yield ModelSettings(**settings), own

    return write_bundle(out, provenance, models(), {file: weights(file) for file in parent.manifest.bases})


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
