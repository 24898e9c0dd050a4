"""`python -m ml.runtimes.quantize NETWORK PHOTOS OUT` quantizes a network with NNCF, in a separate process.

All three files are in a temporary folder. When standard input ends, the parent is gone: this process deletes the folder
and exits.

A separate process, since NNCF prints to standard output, replaces the class of every logger and never releases memory.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
from pathlib import Path

import numpy as np

# First, because it turns off the telemetry of OpenVINO, and so of NNCF.
from ml.runtimes.openvino import openvino

import nncf  # isort: skip


def quantize(network: Path, photos: Path, out: Path) -> None:
    """Write an OpenVINO network in 8 bits, with ranges taken from float32 photos `[n, 1, 3, size, size]`."""
    examples = list(np.load(photos))
    quantized = nncf.quantize(
        openvino.Core().read_model(network),
        nncf.Dataset(examples),
        subset_size=len(examples),
        # A swish is never below -.28: a range that is symmetric around 0 would waste half of the 8 bits.
        preset=nncf.QuantizationPreset.MIXED,
        # Without VNNI pairs of products are added in 16 bits, which 8-bit weights overflow: of 180 grades of scalps as
        # in the demo's training, 6.7 % changed without this, and 1.1 % with it.
        advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.ENABLE),
    )
    openvino.save_model(quantized, out, compress_to_fp16=False)


def _exit_with_parent(folder: Path) -> None:
    os.read(sys.stdin.fileno(), 1)  # Unbuffered: a lock on the buffer would make the interpreter abort at exit.
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_exit_with_parent, args=[Path(sys.argv[-1]).parent], daemon=True).start()
    quantize(*map(Path, sys.argv[1:]))
