"""The seven networks as a peer serves them: torch as its documentation advises, in the fastest of several ways here."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.func import functional_call

from ml.bench.contenders import graders, load_network, probabilities, to_input
from ml.bundle import Bundle
from ml.bundle.manifest import ModelSpec
from ml.predictor import RUN_ORDER
from ml.runtimes.device import choose_device

logger = logging.getLogger(__name__)

TRIES = 3


@dataclass(frozen=True)
class Setting:
    """What a server of a peer is told; it travels in the environment, as mosec reads its command line itself."""

    bundle: Path
    state_dicts: Path
    device: str
    way: str
    batch: int
    port: int

    def environment(self, inductor: Path) -> dict[str, str]:
        told = {f"BENCH_{name.upper()}": str(value) for name, value in vars(self).items()}
        return {**told, "TORCHINDUCTOR_CACHE_DIR": str(inductor.resolve())}

    @classmethod
    def read(cls) -> Setting:
        told = {name: os.environ[f"BENCH_{name.upper()}"] for name in cls.__annotations__}
        return cls(
            bundle=Path(told["bundle"]),
            state_dicts=Path(told["state_dicts"]),
            device=told["device"],
            way=told["way"],
            batch=int(told["batch"]),
            port=int(told["port"]),
        )


class Seven:
    """Answers batches; `way` is one of `ways(device)`."""

    def __init__(self, setting: Setting, keys: Sequence[str] = RUN_ORDER) -> None:
        bundle = Bundle.open(setting.bundle)
        models = [bundle.model(key) for key in keys]
        self.device = choose_device(setting.device)
        self.prepare: Callable[[bytes], torch.Tensor] = to_input(models[0])
        form, _, precision = setting.way.partition("+")
        self.precision = precision or "float32"
        self._batch = setting.batch
        compiled: Callable | None = None
        self._networks: list[Callable[[torch.Tensor], torch.Tensor]] = []
        for model in models:
            network = _place(model, setting.state_dicts, form).to(self.device)
            if form == "compiled":
                compiled = compiled or _compiled(network)
                self._networks.append(_with_weights(compiled, network))
            else:
                self._networks.append(network)
        self._form = form

    def answers(self, batch: torch.Tensor) -> list[np.ndarray]:
        """The probabilities `[n, classes]` of each network."""
        return [self._run(network, batch) for network in self._networks]

    def __call__(self, batch: torch.Tensor) -> np.ndarray:
        """Probabilities `[n, 6, 4]` of the graders."""
        return graders(self.answers(batch))

    def _run(self, network: Callable[[torch.Tensor], torch.Tensor], batch: torch.Tensor) -> np.ndarray:
        batch = batch.to(self.device)
        if self._form != "eager":
            batch = batch.contiguous(memory_format=torch.channels_last)
        kind = torch.device(self.device).type
        # A compiled graph is for one shape. A CPU is as fast photo by photo; a card wants them together.
        parts = [batch]
        if self._form == "compiled":
            missing = self._batch - len(batch)
            padded = torch.nn.functional.pad(batch, (0, 0, 0, 0, 0, 0, 0, missing))
            parts = list(batch.split(1)) if kind == "cpu" else [padded]
        with torch.autocast(kind, dtype=getattr(torch, self.precision), enabled=self.precision != "float32"):
            return np.concatenate([probabilities(network, part) for part in parts])[: len(batch)]


def ways(device: str) -> list[str]:
    """How the networks may be run here: `FORM` in float32, or `FORM+PRECISION` where the device has a faster one."""
    forms = ["eager", "channels-last", "compiled"]
    if choose_device(device).startswith("cuda"):
        faster = ["float16"]
    else:
        faster = ["bfloat16"] if torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported() else []
    return [*forms, *(f"{form}+{precision}" for form in forms for precision in faster)]


def fastest_way(bundle: Path, state_dicts: Path, device: str, batch: int) -> tuple[str, str]:
    """The way of the least seconds for a batch, tried on one network, and what each took in words.

    A way that fails, such as compiling without a C++ compiler, is none.
    """
    seconds: dict[str, float] = {}
    for way in ways(device):
        try:
            one = Seven(Setting(bundle, state_dicts, device, way, batch, 0), RUN_ORDER[1:2])
            size = Bundle.open(bundle).model(RUN_ORDER[1]).image_size
            pictures = torch.rand(batch, 3, size, size)
            one.answers(pictures)
            seconds[way] = min(_timed(lambda one=one, pictures=pictures: one.answers(pictures)) for _ in range(TRIES))
        except Exception as error:
            logger.warning("%s does not run here: %s", way, str(error).splitlines()[0])
    told = ", ".join(f"{way} {taken / batch:.3g}" for way, taken in seconds.items())
    return min(seconds, key=seconds.__getitem__), f"the fastest by seconds a model and photo, {told}"


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _place(model: ModelSpec, state_dicts: Path, form: str) -> nn.Module:
    network = load_network(model, state_dicts).requires_grad_(False)
    if form == "eager":
        return network
    network.set_swish(memory_efficient=False)  # type: ignore[operator]
    return network.to(memory_format=torch.channels_last)


def _compiled(network: nn.Module) -> Callable:
    """One graph for all networks, which differ in their weights alone: compiling each would take minutes a model."""
    return torch.compile(lambda weights, batch: functional_call(network, weights, (batch,)))


def _with_weights(compiled: Callable, network: nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
    weights = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    return lambda batch: compiled(weights, batch)
