"""The lines of a benchmark: each is started once, measured in every round, and stopped."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from ml.bench.contenders import Eager, Original, Ours, Taken
from ml.bench.host import Host, peak_memory
from ml.bench.weights import Weights
from ml.runtimes.device import choose_device

#: The batch sizes among which this project's predictor chooses the best one.
_BATCHES_CPU = (2, 4, 8)
_BATCHES_CUDA = (8, 16, 32, 64, 128)


class BenchmarkLine(ABC):
    """One way of answering photos.

    `precision` and `note` are set when it has started. The table compares the others with each line that is `ours`.
    `at_most` limits how many of the photos it answers in a round.
    """

    name: str
    what: str
    precision: str = ""
    note: str = ""
    ours: bool = False
    at_most: int | None = None

    @abstractmethod
    def start(self) -> None:
        """Load everything. Raises LineFailed or another MLError."""

    @abstractmethod
    def measure(self, photos: Sequence[bytes]) -> Taken:
        """Answer all photos once. Raises LineFailed."""

    def seen(self, photo: bytes) -> bytes:
        """The input of the models for a photo, if it is not the photo itself: the reference answers are for that."""
        return photo

    @abstractmethod
    def peak_memory(self) -> int | None:
        """Peak resident bytes of the process that holds the models, or None if the system does not report it."""

    @abstractmethod
    def stop(self) -> None:
        """Release everything that `start` loaded."""


class InProcess(BenchmarkLine):
    """A contender in its own process, which another line with another batch size may share."""

    def __init__(self, name: str, what: str, host: Host, batch: int | Callable[[Host], int] = 1, ours: bool = False):
        self.name, self.what, self.ours = name, what, ours
        self.host = host
        self._batch = batch

    def start(self) -> None:
        self.host.start()
        self.precision = self.host.call("precision")
        if callable(self._batch):
            self._batch = self._batch(self.host)
        self.note = f"batches of {self._batch}" if self._batch > 1 else "one photo at a time"

    def measure(self, photos: Sequence[bytes]) -> Taken:
        taken: Taken = self.host.call("timed", list(photos), self._batch)
        return taken

    def peak_memory(self) -> int | None:
        return peak_memory(self.host.process_id)

    def stop(self) -> None:
        self.host.stop()


def inference_lines(weights: Weights, device: str) -> list[BenchmarkLine]:
    """The lines that need no service: two baselines, on CUDA the second one also in float16 and batched, and ours."""
    on_cuda = choose_device(device).startswith("cuda")
    folders = (weights.bundle.folder, weights.state_dicts, device)
    batches = _BATCHES_CUDA if on_cuda else _BATCHES_CPU
    eager, ours = Host(Eager, *folders), Host(Ours, weights.bundle.folder, device)
    original = "the seven loaded from disk for each photo, eager, one after another"
    resident = "the seven resident, efficientnet-pytorch's networks, eager"
    lines: list[BenchmarkLine] = [
        InProcess("original", original, Host(Original, *folders)),
        InProcess("eager", resident, eager),
    ]
    if on_cuda:
        half = Host(Eager, *folders, "float16")
        lines += [
            InProcess("eager-fp16", f"{resident}, autocast", half),
            InProcess("eager-batch", resident, eager, batch=max(batches) // 2),
            InProcess("eager-fp16-batch", f"{resident}, autocast", half, batch=max(batches) // 2),
        ]
    predictor = "ml.predictor.Predictor, photo to findings, without the service"
    return [
        *lines,
        InProcess("ours", predictor, ours, ours=True),
        InProcess("ours-batch", f"{predictor}, its best batch", ours, batch=_best_of(batches), ours=True),
    ]


def _best_of(batches: Sequence[int]) -> Callable[[Host], int]:
    def best(host: Host) -> int:
        batch: int = host.call("best_batch", list(batches))
        return batch

    return best
