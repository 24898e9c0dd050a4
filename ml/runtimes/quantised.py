"""The runtime for CPUs in 8 bits: OpenVINO's networks, quantised after training by NNCF.

Weights and activations become whole numbers of 8 bits, with ranges taken from synthetic scalps, and biases make up for
what the rounding shifts on average (Jacob et al., arXiv 1712.05877; Nagel et al., arXiv 1906.04721). What that does to
the answers depends on the weights, so no bundle goes into service with it before its grades were compared.

Measured on two cores with AVX2 and without VNNI, both runtimes in turn, other processes beside them: one photo through
one B7 at 300×300 took 1.6 × as long in float32 as in 8 bits, its file in the cache shrank from 255 to 68 MB, and a
process with the demo's two trunks from 1.63 to 1.31 GB. The demo is refused: 9.0 % of the 144 grades changed, one
probability by .80; on 100 scalps drawn as those it learnt from 1.8 % of 600 did, and one probability by .29. No
decision of its gate changed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import numpy as np

from ml.bundle import Bundle
from ml.data.synthetic import draw_scalp
from ml.errors import ModelError
from ml.labels import GRADES, SYMPTOMS
from ml.parity import Parity, compare
from ml.preprocessing import Preprocessing, prepare
from ml.runtimes import Trunk
from ml.runtimes.cache import Cache
from ml.runtimes.openvino import OpenVinoRuntime, openvino
from ml.runtimes.resident import ResidentModels

logger = logging.getLogger(__name__)

#: Where `ml` is found from.
_ROOT = Path(__file__).parents[2]

#: Part of the names in the cache: to be counted up where anything here, in `ml.runtimes.quantisation` or in `ml.parity`
#: changes what comes out.
_RECIPE = 1
#: Seeds of the synthetic scalps that ranges are taken from. Parity is measured on others.
_SEEDS = range(9100, 9132)
#: The largest share of grades that may come out otherwise than in float32. Of the 144 that are compared, that is one.
_CHANGED_AT_MOST = 0.01


class QuantisedRuntime(OpenVinoRuntime):
    """OpenVINO's runtime with trunks in 8 bits."""

    name = "openvino-int8"

    def __init__(self, cache: Cache | None = None) -> None:
        """Quantising takes a minute or two a trunk, so a cache matters more than it does to `OpenVinoRuntime`."""
        super().__init__(cache)
        self.precision = "int8"

    def require_parity(self, bundle: Bundle, models: ResidentModels) -> None:
        """Raise ModelError where the resident models of a bundle grade otherwise than in float32, beyond the bound.

        `models` are all of the bundle, on this runtime. The comparison is made once, and kept where trunks are kept.
        """
        name = f"parity of {hashlib.sha256(bundle.manifest.model_dump_json().encode()).hexdigest()} {self._maker}"
        kept = self._cache.find(name) if self._cache is not None else None
        parity = _read(kept.read_bytes()) if kept is not None else None
        if parity is None:
            parity = compare(bundle, models)
            if self._cache is not None:
                self._cache.write(name, json.dumps(asdict(parity)).encode())
        logger.info(
            "in 8 bits %.1f %% of the grades of bundle %s change, and %.1f %% of what its gate says, over %d pictures",
            100 * parity.changed, bundle.reference, 100 * parity.turned, parity.pictures,
        )  # fmt: skip
        if parity.changed > _CHANGED_AT_MOST or parity.turned > 0:
            raise ModelError(
                f"In 8 bits {parity.changed:.1%} of the grades of bundle {bundle.reference} come out otherwise than in "
                f"float32, and its gate decides otherwise on {parity.turned:.1%} of {parity.pictures} pictures; "
                f"{_CHANGED_AT_MOST:.0%} and none are the most that is let into service. Take the runtime auto."
            )

    @property
    def _maker(self) -> str:
        processor = self._core.get_property("CPU", "FULL_DEVICE_NAME")
        return f"int8, recipe {_RECIPE}, NNCF {version('nncf')}, OpenVINO {openvino.__version__} on {processor}"

    def _converted(self, trunk: Trunk) -> openvino.Model:
        model = super()._converted(trunk)
        started = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="scalp-quantised-") as folder:
            network, photos, out = (Path(folder) / name for name in ("network.xml", "photos.npy", "quantised.xml"))
            openvino.save_model(model, network, compress_to_fp16=False)
            del model
            np.save(photos, _calibration(trunk.preprocessing))
            _quantise(network, photos, out)
            # A file that is mapped into memory cannot be thrown away on every system.
            quantised = self._core.read_model(out, config={"ENABLE_MMAP": False})
        logger.info("quantised %s in %.1f seconds", trunk.architecture, time.perf_counter() - started)
        return quantised

    def _name(self, trunk: Trunk) -> str:
        return f"{trunk.key} {trunk.preprocessing} {self._maker}"


def _quantise(*paths: Path) -> None:
    command = [sys.executable, "-m", "ml.runtimes.quantisation", *map(str, paths)]
    # Nothing in the command comes from anybody.
    # Its standard input ends with this process, and so does it.
    with subprocess.Popen(  # noqa: S603
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        encoding="utf-8", errors="replace",
    ) as process:  # fmt: skip
        assert process.stderr is not None
        told = process.stderr.read()
        status = process.wait()
    if status:
        logger.error("quantising ended with status %d: %s", status, told)
        # Who was killed, say for want of memory, says nothing of it.
        said = told.strip() if status > 0 else ""
        cause = said.splitlines()[-1] if said else f"Its process ended with status {status}."
        raise ModelError(f"A network could not be quantised: {cause} Take the runtime auto.")


def _calibration(preprocessing: Preprocessing) -> np.ndarray:
    """Scalps of all grades, as float32 photos `[n, 1, 3, size, size]`."""
    drawn = []
    for seed in _SEEDS:
        grades = np.random.default_rng(seed).integers(len(GRADES), size=len(SYMPTOMS)).tolist()
        drawn.append(prepare(draw_scalp(seed, grades), {preprocessing}).tensors[preprocessing].numpy()[None])
    return np.stack(drawn)


def _read(content: bytes) -> Parity | None:
    """What was kept of a comparison; None where that can't be read."""
    try:
        return Parity(**json.loads(content))
    except (ValueError, TypeError):
        return None
