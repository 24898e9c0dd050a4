"""`python -m ml.runtimes.quantisation NETWORK PHOTOS OUT`: a network in 8 bits, by NNCF, in a process of its own.

All three lie in a folder that belongs to this work. Once standard input ends, whoever wanted it is gone: the folder
goes as well, and this process.

NNCF prints to standard output, puts its own class in place of that of every logger, and keeps what it loads: all of
that ends with the process, and nothing of it is in the one that answers.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
from pathlib import Path

import numpy as np

# First, as it keeps OpenVINO from reporting its use, and NNCF with it.
from ml.runtimes.openvino import openvino

import nncf  # isort: skip


def quantise(network: Path, photos: Path, out: Path) -> None:
    """Write an OpenVINO network in 8 bits, with ranges taken from float32 photos `[n, 1, 3, size, size]`."""
    examples = list(np.load(photos))
    quantised = nncf.quantize(
        openvino.Core().read_model(network),
        nncf.Dataset(examples),
        subset_size=len(examples),
        # A swish is nowhere below -.28 and far above 0: a range around 0 would waste half of the 8 bits.
        preset=nncf.QuantizationPreset.MIXED,
        # Without VNNI pairs of products are added in 16 bits, which weights of 8 bits overflow: of 180 grades of
        # scalps as the demo learnt from, 6.7 % changed without this, and 1.1 % with it.
        advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.ENABLE),
    )
    openvino.save_model(quantised, out, compress_to_fp16=False)


def _end_with_who_asked(folder: Path) -> None:
    os.read(sys.stdin.fileno(), 1)  # Not through the buffer: at its own end the interpreter aborts over its lock.
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_who_asked, args=[Path(sys.argv[-1]).parent], daemon=True).start()
    quantise(*map(Path, sys.argv[1:]))
