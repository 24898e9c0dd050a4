"""The ways of running the seven models: as the original did, resident in eager torch, and as this project does."""

from __future__ import annotations

import io
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from efficientnet_pytorch import EfficientNet
from PIL import Image
from torch import nn

from ml.bundle import Bundle
from ml.bundle.manifest import ModelSpec
from ml.errors import ModelError, OutOfMemory
from ml.labels import SYMPTOMS
from ml.predictor import RUN_ORDER, Prediction, Predictor
from ml.runtimes.device import choose_device

#: Larger batches are not tried.
LARGEST_BATCH = 4096


@dataclass(frozen=True, slots=True)
class Taken:
    """The measurements of one line for all photos once.

    `seconds` for all of them, `latencies` in seconds from submitting each photo to its answer, `probabilities`
    `[n, 6, 4]` of the graders. `client_cores` are the cores that the load generator used, if there is one.
    """

    seconds: float
    latencies: list[float]
    probabilities: np.ndarray
    client_cores: float | None = None


class Contender(ABC):
    """Answers photos; `precision` is that of its matrix products."""

    precision: str

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1)

    @abstractmethod
    def answer(self, photos: Sequence[bytes]) -> np.ndarray:
        """Probabilities `[n, 6, 4]` of the graders for one batch of JPEG files."""

    def timed(self, photos: Sequence[bytes], batch: int) -> Taken:
        """All photos in batches of `batch`; each photo of a batch waits for the whole of it."""
        started = time.perf_counter()
        latencies: list[float] = []
        answers = []
        for start in range(0, len(photos), batch):
            submitted = time.perf_counter()
            answers.append(self.answer(photos[start : start + batch]))
            latencies += [time.perf_counter() - submitted] * len(answers[-1])
        return Taken(time.perf_counter() - started, latencies, np.concatenate(answers))

    def each(self, prepare: Callable[[bytes], object], photos: Sequence[bytes]) -> list:
        """Preprocess the photos of a batch, on all cores where there are several."""
        return list(map(prepare, photos) if len(photos) == 1 else self._threads.map(prepare, photos))


class Original(Contender):
    """Builds each network and loads its weights from disk for every request, as the first version did."""

    precision = "float32"

    def __init__(self, bundle: Path, state_dicts: Path, device: str) -> None:
        super().__init__()
        self.device = choose_device(device)
        self._models = _models(bundle)
        self._state_dicts = state_dicts

    def answer(self, photos: Sequence[bytes]) -> np.ndarray:
        """The probabilities of a batch, with every network loaded from disk first."""
        batch = torch.stack(self.each(to_input(self._models[0]), photos)).to(self.device)
        return graders(
            [probabilities(load_network(model, self._state_dicts).to(self.device), batch) for model in self._models]
        )


class Eager(Contender):
    """The same networks, loaded once. In float16, on CUDA, by autocast."""

    def __init__(self, bundle: Path, state_dicts: Path, device: str, precision: str = "float32") -> None:
        super().__init__()
        self.device = choose_device(device)
        self.precision = precision
        models = _models(bundle)
        self._prepare = to_input(models[0])
        self._networks = [load_network(model, state_dicts).to(self.device) for model in models]

    def answer(self, photos: Sequence[bytes]) -> np.ndarray:
        """The probabilities of a batch, with the networks that are loaded."""
        batch = torch.stack(self.each(self._prepare, photos)).to(self.device)
        kind = torch.device(self.device).type
        with torch.autocast(kind, dtype=torch.float16, enabled=self.precision == "float16"):
            return graders([probabilities(network, batch) for network in self._networks])


class Ours(Contender):
    """`ml.predictor.Predictor`, without the service."""

    def __init__(self, bundle: Path, device: str) -> None:
        super().__init__()
        self._predictor = Predictor(Bundle.open(bundle), device)
        self.precision = self._predictor.precision
        self.runtime = self._predictor.runtime

    def answer(self, photos: Sequence[bytes]) -> np.ndarray:
        """The probabilities of a batch from the product's predictor."""
        predictions = self._predictor.predict(self.each(self._predictor.prepare, photos))
        return np.array([_of(prediction) for prediction in predictions])

    def best_batch(self, batches: Sequence[int]) -> int:
        """The batch size with the least seconds per photo, the better of two trials each."""
        seconds: dict[int, float] = {}
        for batch in batches:
            try:
                seconds[batch] = min(self._predictor.seconds_for(batch) for _ in range(2)) / batch
            except OutOfMemory:
                break
        return min(seconds, key=seconds.__getitem__) if seconds else 1

    def largest_batch(self) -> tuple[int, float]:
        """The largest batch that fits, up to `LARGEST_BATCH`, and its seconds. Raises OutOfMemory if none does."""
        fits, seconds, too_many = 0, 0.0, LARGEST_BATCH + 1
        attempt = 1
        while fits + 1 < too_many:
            try:
                seconds = self._predictor.seconds_for(attempt)
                fits = attempt
            except OutOfMemory:
                if attempt == 1:
                    raise
                too_many = attempt
            attempt = min(2 * fits, LARGEST_BATCH) if too_many > LARGEST_BATCH else (fits + too_many) // 2
        return fits, seconds


def to_input(model: ModelSpec) -> Callable[[bytes], torch.Tensor]:
    """From a JPEG file to the model's float32 input `[3, size, size]`, with torchvision's transforms."""
    # Imported here because torchvision imports torch's compiler, which takes three seconds.
    from torchvision import transforms
    from torchvision.transforms import InterpolationMode

    square = (model.image_size, model.image_size)
    steps = transforms.Compose(
        [
            transforms.Resize(square, InterpolationMode.BICUBIC),
            transforms.ToTensor(),
            transforms.Normalize(model.mean, model.std),
        ]
    )

    def prepare(photo: bytes) -> torch.Tensor:
        tensor: torch.Tensor = steps(Image.open(io.BytesIO(photo)).convert("RGB"))
        return tensor

    return prepare


def load_network(model: ModelSpec, state_dicts: Path) -> nn.Module:
    """The network of efficientnet-pytorch with its weights from disk, in evaluation mode on the CPU."""
    network: nn.Module = EfficientNet.from_name(
        model.architecture, num_classes=model.classes, image_size=model.image_size
    )
    weights = torch.load(state_dicts / f"{model.key}.pth", map_location="cpu", weights_only=True)
    missing = network.load_state_dict(weights, strict=False).missing_keys
    if any(not name.endswith("num_batches_tracked") for name in missing):
        raise ModelError(f"{state_dicts / model.key}.pth has not all tensors of {model.architecture}.")
    return network.eval()


def probabilities(network: Callable[[torch.Tensor], torch.Tensor], batch: torch.Tensor) -> np.ndarray:
    """Probabilities `[n, classes]` of one network over a batch."""
    with torch.inference_mode():
        answer: np.ndarray = network(batch).float().softmax(dim=1).cpu().numpy()
    return answer


def graders(answers: Sequence[np.ndarray]) -> np.ndarray:
    """`[n, 6, 4]` from the answers of all seven in the order in which they run, without the gate."""
    by_key = dict(zip(RUN_ORDER, answers, strict=True))
    return np.stack([by_key[symptom.key] for symptom in SYMPTOMS], axis=1)


def _models(bundle: Path) -> list[ModelSpec]:
    opened = Bundle.open(bundle)
    return [opened.model(key) for key in RUN_ORDER]


def _of(prediction: Prediction | None) -> list[tuple[float, ...]]:
    if prediction is None or not prediction.is_scalp:
        raise ModelError(f"A photo of the benchmark was rejected ({prediction and prediction.rejection}).")
    return [finding.probabilities for finding in prediction.findings]
