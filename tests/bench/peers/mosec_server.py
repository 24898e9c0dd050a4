"""The seven models behind mosec: `python -m tests.bench.peers.mosec_server`.

As its examples show: one stage that prepares photos in several processes, one that infers in dynamic batches.
"""

from __future__ import annotations

import os

import numpy as np
import torch
from mosec import Server, Worker

from ml.bench.contenders import to_input
from ml.bundle import Bundle
from ml.predictor import RUN_ORDER
from tests.bench.peers.seven import Setting, Seven


class Preprocess(Worker):
    def __init__(self) -> None:
        super().__init__()
        self.prepare = to_input(Bundle.open(Setting.read().bundle).model(RUN_ORDER[0]))

    def deserialize(self, data: bytes) -> bytes:
        return data

    def forward(self, data: bytes) -> np.ndarray:
        return self.prepare(data).numpy()


class Inference(Worker):
    def __init__(self) -> None:
        super().__init__()
        self.seven = Seven(Setting.read())

    def forward(self, data: list[np.ndarray]) -> list[dict]:
        answers = self.seven(torch.from_numpy(np.stack(data)))
        return [{"probabilities": answer.tolist()} for answer in answers]


if __name__ == "__main__":
    server = Server()
    server.append_worker(Preprocess, num=os.cpu_count() or 1, timeout=600)
    server.append_worker(Inference, num=1, max_batch_size=Setting.read().batch, max_wait_time=20, timeout=600)
    server.run()
