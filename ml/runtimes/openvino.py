"""The runtime for CPUs: OpenVINO, in bfloat16 where the processor computes in it, else in float32.

Measured on two cores without bfloat16, one photo through one B7 at 300×300: eager torch 0.33 s, torch compiled with
frozen weights 0.23 s, OpenVINO 0.17 s, ONNX Runtime 0.15 s. OpenVINO was chosen because ONNX Runtime has no bfloat16
on x86.

A process that holds seven different B7 in two lanes, 1.66 GiB of float32 weights from the cache, takes 3.07 GiB: 0.69
for the libraries, 1.91 for the networks as laid out for the processor, 0.28 for the activations of two lanes, 0.18 for
the second lane's plans. With 0.69 GiB of mapped cache files, which the system can reclaim, 3.76 GiB are resident.
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

from ml.runtimes import Forward, Trunk
from ml.runtimes.cache import Cache

# OpenVINO's converter sends telemetry, unless this package is missing.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
import openvino  # noqa: E402

logger = logging.getLogger(__name__)

#: Each lane has its own cores, so that no core waits for another at the end of each operator. Measured as above beside
#: two processes that each used a core for 12 ms in 100, a B7 took 0.22 s per photo, in one lane 0.27 s; on an idle
#: machine there was no difference.
_MAX_LANES = 2


class OpenVinoRuntime:
    """Trunks compiled for one photo: a CPU gains nothing from a larger batch, so photos go through one by one."""

    name = "openvino"
    device = "cpu"
    lossy = False

    def __init__(self, cache: Cache | None = None) -> None:
        """Keep compiled trunks in `cache`, so that the next start takes one second per trunk instead of ten."""
        self._core = _core()
        self._cache = cache
        #: Mapped files that compiled models read their weights from, without a reference of their own.
        self._blobs: list[np.ndarray] = []
        native = "BF16" in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self.precision = "bfloat16" if native else "float32"
        threads = torch.get_num_threads()
        self.lanes = min(_MAX_LANES, threads)
        self._settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": self.lanes,
            "INFERENCE_PRECISION_HINT": "bf16" if native else "f32",
            "CPU_DENORMALS_OPTIMIZATION": True,
            # Other processes use these cores as well: web, broker, other workers.
            "ENABLE_CPU_PINNING": False,
        }

    def load(self, trunk: Trunk) -> Forward:
        """Compile the trunk, or restore it from the cache. Raises RuntimeError if OpenVINO cannot."""
        compiled = self._restore(trunk)
        if compiled is None:
            compiled = self._compile(trunk)
            if self._cache is not None and self._cache.write(
                self._cache_name(trunk), compiled.export_model().getbuffer()
            ):
                # A freshly compiled model keeps the weights that it was made from; one from the cache maps its file.
                del compiled
                compiled = self._restore(trunk) or self._compile(trunk)
            _forget_traces()
        idle: SimpleQueue[openvino.InferRequest] = SimpleQueue()
        for _ in range(self.lanes):
            idle.put(compiled.create_infer_request())
        shape = tuple(compiled.output(0).shape)[1:]

        def forward(batch: torch.Tensor) -> torch.Tensor:
            photos = batch.contiguous().numpy()
            features = torch.empty(len(photos), *shape)
            request = idle.get()
            try:
                for index in range(len(photos)):
                    (maps,) = request.infer([photos[index : index + 1]], share_inputs=True, share_outputs=True).values()
                    features[index] = torch.from_numpy(maps[0])
            finally:
                idle.put(request)
            return features

        return forward

    def _compile(self, trunk: Trunk) -> openvino.CompiledModel:
        started = time.perf_counter()
        compiled = self._core.compile_model(self._convert(trunk), "CPU", self._settings)
        logger.info("compiled %s for OpenVINO in %.1f seconds", trunk.architecture, time.perf_counter() - started)
        return compiled

    def _convert(self, trunk: Trunk) -> openvino.Model:
        """The trunk as OpenVINO has it, for one photo `[1, 3, size, size]` in float32."""
        shape = [1, 3, trunk.image_size, trunk.image_size]
        module = trunk.build().eval()
        with torch.no_grad(), warnings.catch_warnings():
            # OpenVINO traces with TorchScript, which torch has deprecated.
            warnings.simplefilter("ignore", FutureWarning)
            return openvino.convert_model(module, example_input=torch.zeros(shape), input=[shape])

    def _restore(self, trunk: Trunk) -> openvino.CompiledModel | None:
        path = self._cache.find(self._cache_name(trunk)) if self._cache is not None else None
        if path is None:
            return None
        try:
            return self._import(path)
        except (RuntimeError, OSError, ValueError) as error:
            # A damaged file or another version: compiling again fixes both.
            logger.warning("%s cannot be used and is compiled again: %s", path, error)
            path.unlink(missing_ok=True)
            return None

    def _import(self, path: Path) -> openvino.CompiledModel:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        blob = np.frombuffer(mapped, dtype=np.uint8)
        self._blobs.append(blob)
        compiled = self._core.import_model(openvino.Tensor(blob, shared_memory=True), "CPU", self._settings)
        # Most weights now have a copy in another layout, so their pages of the file are not needed any more.
        mapped.madvise(mmap.MADV_DONTNEED)
        return compiled

    @property
    def version(self) -> str:
        """Precision, version of OpenVINO, and processor."""
        processor = self._core.get_property("CPU", "FULL_DEVICE_NAME")
        return f"{self.precision} OpenVINO {openvino.__version__} on {processor}"

    def _cache_name(self, trunk: Trunk) -> str:
        return f"{trunk.key} {self.version}"


@cache
def _core() -> openvino.Core:
    """The only core of this process, never destroyed.

    At its first use OpenVINO replaces the thread's signal stack, and restores the former one when it is destroyed. If
    two cores are destroyed in the order of their creation, the second one restores the stack of the first, which is
    unmapped by then, and the next signal with a handler kills the process.
    """
    return openvino.Core()


def _forget_traces() -> None:
    """Release the weights of traced networks, which TorchScript never does: 250 MB per B7 (pytorch #35600)."""
    torch._C._jit_clear_class_registry()
    torch.jit._recursive.concrete_type_store = torch.jit._recursive.ConcreteTypeStore()
    torch.jit._state._clear_class_state()
    gc.collect()
    if sys.platform == "linux":
        # glibc returns small freed blocks only on request; musl has no such call.
        getattr(ctypes.CDLL(None), "malloc_trim", lambda _: 0)(0)
