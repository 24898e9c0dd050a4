"""The runtime for CPUs: OpenVINO, in bfloat16 where the processor computes in it, else in float32.

Measured on two cores without bfloat16, one photo through one B7 at 300×300: eager torch 0.33 s, torch compiled with
frozen weights 0.23 s, OpenVINO 0.17 s, ONNX Runtime 0.15 s. OpenVINO is taken since ONNX Runtime has no bfloat16 on
x86.

A process that holds seven different B7 in two lanes, 1.66 GiB of float32 weights from the cache, takes 3.07 GiB: 0.69
are the libraries before any network, 1.91 the networks as laid out for the processor, 0.28 what two lanes make on the
way, 0.18 the second lane's plans. With 0.69 GiB of the cache's files beside them, which the system takes back when it
needs room, 3.76 GiB are resident.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import mmap
import sys
import time
import warnings
from functools import cache
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import torch

from ml.runtimes import Look, Trunk
from ml.runtimes.cache import Cache

# OpenVINO's converter reports each use to its maker. Without that package it doesn't.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
import openvino  # noqa: E402

logger = logging.getLogger(__name__)

#: Each has its share of the cores, and no core waits for another at the end of each operator. Measured as above, a
#: B7 took a photo in 0.22 s beside two processes that each wanted a core for 12 ms in 100, in one lane in 0.27 s; left
#: alone it made no difference.
_LANES = 2


class OpenVinoRuntime:
    """Trunks compiled for one photo: a CPU gains nothing from a larger batch, so photos go through one by one."""

    name = "openvino"
    device = "cpu"

    def __init__(self, cache: Cache | None = None) -> None:
        """Compiled trunks are kept in `cache`, so that the next start needs a second for each instead of ten."""
        self._core = _core()
        self._cache = cache
        #: Files in memory that compiled models go on reading their weights from, without holding on to them.
        self._blobs: list[np.ndarray] = []
        native = "BF16" in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self.precision = "bfloat16" if native else "float32"
        threads = torch.get_num_threads()
        self.lanes = min(_LANES, threads)
        self._settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": self.lanes,
            "INFERENCE_PRECISION_HINT": "bf16" if native else "f32",
            "CPU_DENORMALS_OPTIMIZATION": True,
            # Other processes want these cores as well: the web, the broker, another worker.
            "ENABLE_CPU_PINNING": False,
        }

    def place(self, trunk: Trunk) -> Look:
        compiled = self._restored(trunk)
        if compiled is None:
            compiled = self._compiled(trunk)
            if self._cache is not None and self._cache.write(self._name(trunk), compiled.export_model().getbuffer()):
                # What was just compiled holds on to the weights it was made from; the one from the cache maps them.
                del compiled
                compiled = self._restored(trunk) or self._compiled(trunk)
            _forget_traces()
        idle: SimpleQueue[openvino.InferRequest] = SimpleQueue()
        for _ in range(self.lanes):
            idle.put(compiled.create_infer_request())
        shape = tuple(compiled.output(0).shape)[1:]

        def look(batch: torch.Tensor) -> torch.Tensor:
            photos = batch.contiguous().numpy()
            seen = torch.empty(len(photos), *shape)
            request = idle.get()
            try:
                for place in range(len(photos)):
                    (maps,) = request.infer([photos[place : place + 1]], share_inputs=True, share_outputs=True).values()
                    seen[place] = torch.from_numpy(maps[0])
            finally:
                idle.put(request)
            return seen

        return look

    def _compiled(self, trunk: Trunk) -> openvino.CompiledModel:
        started = time.perf_counter()
        compiled = self._core.compile_model(self._converted(trunk), "CPU", self._settings)
        logger.info("compiled %s for OpenVINO in %.1f seconds", trunk.architecture, time.perf_counter() - started)
        return compiled

    def _converted(self, trunk: Trunk) -> openvino.Model:
        """The trunk as OpenVINO has it, for one photo `[1, 3, size, size]` in float32."""
        shape = [1, 3, trunk.image_size, trunk.image_size]
        module = trunk.build().eval()
        with torch.no_grad(), warnings.catch_warnings():
            # OpenVINO traces with TorchScript, which torch has announced to retire.
            warnings.simplefilter("ignore", FutureWarning)
            return openvino.convert_model(module, example_input=torch.zeros(shape), input=[shape])

    def _restored(self, trunk: Trunk) -> openvino.CompiledModel | None:
        path = self._cache.find(self._name(trunk)) if self._cache is not None else None
        if path is None:
            return None
        try:
            return self._import(path)
        except (RuntimeError, OSError, ValueError) as error:
            # An interrupted disk or another version: compiling anew mends both.
            logger.warning("%s cannot be used and is made anew: %s", path, error)
            path.unlink(missing_ok=True)
            return None

    def _import(self, path: Path) -> openvino.CompiledModel:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        blob = np.frombuffer(mapped, dtype=np.uint8)
        self._blobs.append(blob)
        compiled = self._core.import_model(openvino.Tensor(blob, shared_memory=True), "CPU", self._settings)
        # Most weights have been laid out anew in memory of their own; those pages of the file are not needed again.
        mapped.madvise(mmap.MADV_DONTNEED)
        return compiled

    def _name(self, trunk: Trunk) -> str:
        processor = self._core.get_property("CPU", "FULL_DEVICE_NAME")
        return f"{trunk.key} {self.precision} OpenVINO {openvino.__version__} on {processor}"


@cache
def _core() -> openvino.Core:
    """The one of this process, which lives as long.

    At its first use OpenVINO gives the thread another stack for signals, and with its end the one that was there
    before. Of two that end in the order in which they came, the second gives back the first's, which is unmapped by
    then, and the next signal with a handler kills the process.
    """
    return openvino.Core()


def _forget_traces() -> None:
    """Give back the weights of traced networks, which TorchScript keeps for ever: 250 MB a B7 (pytorch #35600)."""
    torch._C._jit_clear_class_registry()
    torch.jit._recursive.concrete_type_store = torch.jit._recursive.ConcreteTypeStore()
    torch.jit._state._clear_class_state()
    gc.collect()
    if sys.platform == "linux":
        # And glibc keeps what is freed in many small pieces, unless it is asked; musl has no such call.
        getattr(ctypes.CDLL(None), "malloc_trim", lambda _: 0)(0)
