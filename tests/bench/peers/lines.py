"""LitServe and mosec as lines of the benchmark."""

from __future__ import annotations

import base64
import json
import logging
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import requests
import torch

from deploy.launcher.settings import free_port
from ml.bench.contenders import Taken
from ml.bench.host import Host, LineFailed
from ml.bench.lines import BenchmarkLine
from ml.bench.machine import processor
from ml.bench.weights import Weights
from ml.runtimes.device import choose_device
from tests.bench.client import closed_loop
from tests.bench.peers.seven import Setting, fastest_way
from tests.bench.processes import end, freeze, largest_peak, spawn, thaw

logger = logging.getLogger(__name__)

PATIENCE = 900.0  #: seconds for seven models to load and, where that pays, to be compiled


class Way:
    """How both peers run the networks: as `named`, or the fastest way here, tried once and kept in `folder`."""

    def __init__(self, weights: Weights, device: str, batch: int, folder: Path, named: str | None = None) -> None:
        self.setting = Setting(weights.bundle.folder, weights.state_dicts, device, "", batch, 0)
        self.inductor = folder / "inductor"
        self._named = named
        # Another torch, processor or batch may favor another way.
        self._kept = folder / "ways.json"
        place = torch.cuda.get_device_name() if choose_device(device).startswith("cuda") else processor()
        self._key = f"{weights.bundle.folder.resolve()} {place} torch {torch.__version__} batch {batch}"

    @cached_property
    def chosen(self) -> tuple[str, str]:
        """Its name, and why."""
        if self._named:
            return self._named, "as asked for"
        self.inductor.mkdir(parents=True, exist_ok=True)
        kept = json.loads(self._kept.read_text()) if self._kept.exists() else {}
        if self._key not in kept:
            logger.info("trying how the peers run fastest here; compiling takes minutes, once")
            kept[self._key] = self._try()
            self._kept.write_text(json.dumps(kept, indent=2))
        name, why = kept[self._key]
        return name, why

    def _try(self) -> tuple[str, str]:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(self.inductor.resolve())
        host = Host(Trial)
        host.start()
        try:
            told = self.setting
            best: tuple[str, str] = host.call("run", told.bundle, told.state_dicts, told.device, told.batch)
        finally:
            host.stop()
        return best


class Trial:
    """Runs `fastest_way` in a process of its own, whose memory is then given back."""

    def run(self, bundle: Path, state_dicts: Path, device: str, batch: int) -> tuple[str, str]:
        return fastest_way(bundle, state_dicts, device, batch)


class Peer(BenchmarkLine):
    """A server of a peer, asked over HTTP by twice as many clients as a batch has photos."""

    module: str
    path: str

    def __init__(self, way: Way, log: Path) -> None:
        self._way = way
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def body(self, photo: bytes) -> dict[str, object]:
        """The arguments of `requests.post` that carry a photo."""
        raise NotImplementedError

    def start(self) -> None:
        name, why = self._way.chosen
        setting = replace(self._way.setting, way=name, port=free_port())
        self._url = f"http://127.0.0.1:{setting.port}{self.path}"
        self.precision = name.partition("+")[2] or "float32"
        clients = 2 * setting.batch
        self.note = f"batches of up to {setting.batch}, {clients} clients; run {name}: {why}"
        # mosec's own limit of a request is 3 s, less than eight photos take on a laptop; LitServe's is in its server.
        of_mosec = {"MOSEC_PORT": str(setting.port), "MOSEC_TIMEOUT": "600000"}
        environment = {**os.environ, **setting.environment(self._way.inductor), **of_mosec}
        self._process = spawn(self.module, self._log, environment)
        self._await_first_answer()

    def measure(self, photos: Sequence[bytes]) -> Taken:
        assert self._process is not None
        thaw(self._process)
        try:
            return closed_loop(photos, 2 * self._way.setting.batch, self._ask)
        finally:
            freeze(self._process)

    def peak_memory(self) -> int | None:
        return None if self._process is None else largest_peak(self._process.pid)

    def stop(self) -> None:
        if self._process is not None:
            end(self._process)
            self._process = None

    def _ask(self, session: requests.Session, photo: bytes) -> np.ndarray:
        answer = session.post(self._url, timeout=600, **self.body(photo))  # type: ignore[arg-type]
        answer.raise_for_status()
        return np.array(answer.json()["probabilities"])

    def _await_first_answer(self) -> None:
        from ml.bench.photos import synthetic_photos

        (photo,) = synthetic_photos(1)
        deadline = time.monotonic() + PATIENCE
        with requests.Session() as session:
            session.trust_env = False
            while True:
                try:
                    self._ask(session, photo)
                except requests.RequestException as error:
                    assert self._process is not None
                    if self._process.poll() is not None or time.monotonic() > deadline:
                        tail = self._log.read_text(errors="replace")[-500:]
                        raise LineFailed(f"{error!r}; its log ends with: {tail}") from None
                    time.sleep(0.5)
                else:
                    return


class LitServe(Peer):
    name = "litserve"
    what = "the seven behind LitServe with its batching, over HTTP"
    module = "tests.bench.peers.litserve_server"
    path = "/predict"

    def body(self, photo: bytes) -> dict[str, object]:
        return {"json": {"photo": base64.b64encode(photo).decode()}}


class Mosec(Peer):
    name = "mosec"
    what = "the seven behind mosec with its dynamic batching, over HTTP"
    module = "tests.bench.peers.mosec_server"
    path = "/inference"

    def body(self, photo: bytes) -> dict[str, object]:
        return {"data": photo}
