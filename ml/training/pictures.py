"""Pictures for training: the records of a data set, decoded, augmented and batched, the same for the same seed."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from ml.data.files import UNREADABLE
from ml.data.records import UNLABELED, Record
from ml.errors import DataSetInvalid, PhotoUnreadable
from ml.labels import SYMPTOMS
from ml.preprocessing import Preprocessing, open_photo, to_tensor

_SMALL_PROCESSES = multiprocessing.get_context("forkserver")
_SMALL_PROCESSES.set_forkserver_preload([__name__])

_COLUMNS = {symptom.key: column for column, symptom in enumerate(SYMPTOMS)}


def grades_of(records: Sequence[Record], symptoms: Sequence[str]) -> np.ndarray:
    """Grades `[n, symptoms]` of the records, 0 to 3, or `UNLABELED`."""
    columns = [_COLUMNS[key] for key in symptoms]
    rows = [[UNLABELED if grade is None else grade for grade in record.grades] for record in records]
    return np.array(rows, dtype=np.int64)[:, columns]


def marked_shares(records: Sequence[Record], symptoms: Sequence[str]) -> np.ndarray:
    """Shares `[n, symptoms]`, float32, that are marked with each symptom; NaN where it was not marked."""
    columns = [_COLUMNS[key] for key in symptoms]
    return np.array([record.marked for record in records], dtype=np.float32).reshape(-1, len(SYMPTOMS))[:, columns]


class Pictures(Dataset[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]):
    """Pictures `[3, size, size]`, grades `[symptoms]` and marked shares `[symptoms]`.

    Augmented by (seed, epoch, index) where asked.
    """

    def __init__(
        self,
        records: Sequence[Record],
        symptoms: Sequence[str],
        spec: Preprocessing,
        augment: v2.Transform | None = None,
        seed: int = 0,
    ) -> None:
        self._records = records
        self._grades = torch.from_numpy(grades_of(records, symptoms))
        self._marked = torch.from_numpy(marked_shares(records, symptoms))
        self._spec = spec
        self._augment = augment
        self._seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        record = self._records[index]
        try:
            photo = open_photo(record.read())
        except (PhotoUnreadable, *UNREADABLE) as error:
            raise DataSetInvalid(
                f"The picture {record.id} can't be read: {error} Put a whole copy in its place and give the same "
                "command again: what was trained so far is kept."
            ) from error
        if self._augment is None:
            return to_tensor(photo, self._spec), self._grades[index], self._marked[index]
        with torch.random.fork_rng(devices=[]):
            # Seeded for each picture, so neither the number of loading processes nor a resumption changes anything.
            torch.manual_seed(seed_of(self._seed, self.epoch, index))
            return self._augment(photo), self._grades[index], self._marked[index]


def seed_of(*numbers: int) -> int:
    """One seed of 63 bits out of several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)


def training_batches(
    pictures: Pictures, batch: int, *, seed: int, epoch: int, skip: int, workers: int
) -> Iterator[tuple[torch.Tensor, ...]]:
    """The batches of an epoch in its own order, without the first `skip`. A last, smaller one is left out.

    Where there are fewer pictures than a batch holds, they are the one batch.
    """
    pictures.epoch = epoch
    order = np.random.default_rng(seed_of(seed, epoch)).permutation(len(pictures))
    steps = steps_in(len(pictures), batch)
    batches = [order[step * batch : (step + 1) * batch].tolist() for step in range(skip, steps)]
    return load(pictures, workers, batch_sampler=batches)


def load(pictures: Pictures, workers: int, **batching: Any) -> Iterator[tuple[torch.Tensor, ...]]:
    """Batches of pictures, grades and marked shares, decoded ahead by `workers` processes, or by this one with 0.

    `batching` goes to torch's DataLoader. Raises DataSetInvalid for a damaged picture.
    """
    # Forked from here, a process would hold all that this one gives back of its gigabytes: a second training's memory.
    context = _SMALL_PROCESSES if workers else None
    try:
        yield from DataLoader(pictures, num_workers=workers, multiprocessing_context=context, **batching)
    except DataSetInvalid as error:
        # To what is raised in another process torch adds the traceback from there.
        raise DataSetInvalid(str(error).strip().rpartition(f"{DataSetInvalid.__name__}: ")[2]) from error


def steps_in(pictures: int, batch: int) -> int:
    """How many batches an epoch has."""
    return max(1, pictures // batch)
