"""The seven models behind LitServe: `python -m tests.bench.peers.litserve_server`.

As its documentation shows: a JSON request with the picture in base64, batches of its own, a thread pool for the
pictures of a batch.
"""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor

import litserve
import numpy as np
import torch

from tests.bench.peers.seven import Setting, Seven


class SevenModels(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.seven = Seven(Setting.read())
        self.threads = ThreadPoolExecutor()

    def decode_request(self, request: dict) -> bytes:
        return base64.b64decode(request["photo"])

    def batch(self, inputs: list[bytes]) -> torch.Tensor:
        return torch.stack(list(self.threads.map(self.seven.prepare, inputs)))

    def predict(self, x: torch.Tensor) -> np.ndarray:
        return self.seven(x)

    def unbatch(self, output: np.ndarray) -> list[np.ndarray]:
        return list(output)

    def encode_response(self, output: np.ndarray) -> dict:
        return {"probabilities": output.tolist()}


if __name__ == "__main__":
    setting = Setting.read()
    server = litserve.LitServer(
        SevenModels(max_batch_size=setting.batch, batch_timeout=0.02),
        accelerator="cuda" if setting.device.startswith("cuda") else "cpu",
        devices=1,
        workers_per_device=1,
        timeout=600,
    )
    server.run(host="127.0.0.1", port=setting.port, generate_client_file=False, log_level="warning")
