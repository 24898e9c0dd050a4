"""The 8-bit runtime for CPUs: OpenVINO networks, quantized after training by NNCF.

Weights and activations become 8-bit integers, with ranges taken from synthetic scalps, and biases correct the mean
rounding error (Jacob et al., arXiv 1712.05877; Nagel et al., arXiv 1906.04721). How far that changes answers depends on
the weights, so `ml.parity` compares the grades of a bundle before it is served.

Measured on two busy cores with AVX2 and without VNNI, both runtimes in turn: one photo through one B7 at 300×300 took
1.6 times as long in float32 as in 8 bits, its file in the cache shrank from 255 to 68 MB, and a process with the demo's
two trunks from 1.63 to 1.31 GB. The demo is refused: 9.0 % of the 144 grades changed, one probability by .80; on 100
scalps like those of its training 1.8 % of 600 did, and one probability by .29. No decision of its gate changed.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

from ml.data.synthetic import draw_scalp
from ml.errors import ModelError
from ml.labels import GRADES, SYMPTOMS
from ml.preprocessing import Preprocessing, prepare
from ml.runtimes import Trunk
from ml.runtimes.cache import Cache
from ml.runtimes.openvino import OpenVinoRuntime, openvino

logger = logging.getLogger(__name__)

#: The folder that holds the package `ml`.
_ROOT = Path(__file__).parents[2]

#: Part of the names in the cache. Increase it with every change here, in `ml.runtimes.quantize` or in `ml.parity`
#: that affects results.
_RECIPE = 1
#: Seeds of the synthetic scalps that ranges are taken from. Parity is measured on others.
_CALIBRATION_SEEDS = range(9100, 9132)


class OpenVinoInt8Runtime(OpenVinoRuntime):
    """`OpenVinoRuntime` with 8-bit trunks."""

    name = "openvino-int8"
    lossy = True

    def __init__(self, cache: Cache | None = None) -> None:
        """Quantizing takes a minute or two per trunk, so the cache matters more than for `OpenVinoRuntime`."""
        super().__init__(cache)
        self.precision = "int8"

    @property
    def version(self) -> str:
        """Also the way of quantizing and the version of NNCF, on both of which the weights depend."""
        processor = self._core.get_property("CPU", "FULL_DEVICE_NAME")
        return f"int8, recipe {_RECIPE}, NNCF {version('nncf')}, OpenVINO {openvino.__version__} on {processor}"

    def _convert(self, trunk: Trunk) -> openvino.Model:
        model = super()._convert(trunk)
        started = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="scalp-quantized-") as folder:
            network, photos, out = (Path(folder) / name for name in ("network.xml", "photos.npy", "quantized.xml"))
            openvino.save_model(model, network, compress_to_fp16=False)
            del model
            np.save(photos, _calibration_photos(trunk.preprocessing))
            _quantize(network, photos, out)
            # Not every system can delete a file that is mapped into memory.
            quantized = self._core.read_model(out, config={"ENABLE_MMAP": False})
        logger.info("quantized %s in %.1f seconds", trunk.architecture, time.perf_counter() - started)
        return quantized

    def _cache_name(self, trunk: Trunk) -> str:
        return f"{trunk.key} {trunk.preprocessing} {self.version}"


def _quantize(*paths: Path) -> None:
    command = [sys.executable, "-m", "ml.runtimes.quantize", *map(str, paths)]
    # No part of the command is user input. The child ends when its standard input does, which is with this process.
    with subprocess.Popen(  # noqa: S603
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        encoding="utf-8", errors="replace",
    ) as process:  # fmt: skip
        assert process.stderr is not None
        output = process.stderr.read()
        status = process.wait()
    if status:
        logger.error("quantizing ended with status %d: %s", status, output)
        # A killed process, such as one that ran out of memory, leaves no message.
        lines = output.strip().splitlines() if status > 0 else []
        cause = lines[-1] if lines else f"Its process ended with status {status}."
        raise ModelError(f"A network could not be quantized: {cause} Use the runtime auto.")


def _calibration_photos(preprocessing: Preprocessing) -> np.ndarray:
    """Scalps of all grades, as float32 photos `[n, 1, 3, size, size]`."""
    drawn = []
    for seed in _CALIBRATION_SEEDS:
        grades = np.random.default_rng(seed).integers(len(GRADES), size=len(SYMPTOMS)).tolist()
        drawn.append(prepare(draw_scalp(seed, grades), {preprocessing}).tensors[preprocessing].numpy()[None])
    return np.stack(drawn)
