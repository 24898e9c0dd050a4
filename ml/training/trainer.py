"""The trainer: one recipe, two parts of a data set, one network; resumable to the bit after a kill.

1. Fill the network with the weights to start from, and plan how much of a batch fits into memory at once.
2. Go on from the checkpoint where there is one.
3. For each epoch: steps over its batches, then answers to the validation part by the averaged weights.
4. Keep the weights of the best epoch; stop where patience ends.
5. Write the facts of the run.

Every random draw is seeded by (seed, epoch, step) or (seed, epoch, picture), so no random state needs keeping.
"""

from __future__ import annotations

import copy
import fcntl
import hashlib
import json
import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from ml.data.records import Record
from ml.data.splits import digest
from ml.errors import RunInvalid
from ml.labels import GRADES
from ml.levels import score
from ml.metrics import accuracy, confusion_matrix, macro_f1, quadratic_weighted_kappa
from ml.networks.registry import create_filled_network
from ml.outputs import outputs_for, to_probabilities
from ml.runtimes.device import choose_device
from ml.training.activation_checkpointing import checkpoint_blocks
from ml.training.augmentation import augmentation
from ml.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from ml.training.initial_weights import start_weights, weights_digest
from ml.training.log import write_log
from ml.training.losses import create_loss, rank_marked
from ml.training.memory import MemoryPlan, MicroBatches, plan_memory
from ml.training.optimization import average_by, create_optimizer, learning_rate
from ml.training.pictures import Pictures, grades_of, seed_of, steps_in, training_batches
from ml.training.recipe import FORMER_KEYS, Recipe
from ml.training.run import RUN_FILE, Run, RunFacts, answer, preprocessing, write_facts, write_weights

logger = logging.getLogger(__name__)

LOCK_FILE = "training.lock"


@dataclass(frozen=True, slots=True)
class Options:
    """What decides how a training runs, not what comes out of it. `memory_limit` is in bytes.

    `checkpoint_seconds` is how much work a kill may cost. `compiled` lets torch compile the network first, which pays
    for trainings of many minutes.
    """

    device: str = "auto"
    workers: int = 1
    memory_limit: int | None = None
    checkpoint_seconds: float = 120.0
    compiled: bool = False


def train(
    recipe: Recipe,
    training: Sequence[Record],
    validation: Sequence[Record],
    symptoms: Sequence[str],
    out: Path,
    *,
    seed: int = 0,
    weights: Path | None = None,
    synthetic: bool = False,
    options: Options = Options(),
) -> Run:
    """Train one network on the first records for these symptoms and choose its best epoch by the second ones.

    It starts from the file `weights`, else from what `start_weights` finds. A folder `out` with a checkpoint of the
    same training is gone on with; one with a finished run is returned as it is. Raises RunInvalid where it holds
    another training or one that still runs, OutOfMemory where not even one picture fits, DataSetInvalid for a damaged
    picture.
    """
    identity = _identity(recipe, training, validation, symptoms, seed, weights)
    if (out / RUN_FILE).is_file():
        return _same(Run.open(out), recipe, identity)
    out.mkdir(parents=True, exist_ok=True)
    torch.use_deterministic_algorithms(True, warn_only=True)
    trainer = _Trainer(recipe, training, validation, tuple(symptoms), out, seed, weights, options)
    with _alone(out):
        trainer.resume(identity)
        trainer.go_on()
    progress = trainer.progress
    return write_facts(
        out,
        RunFacts(
            recipe=recipe,
            symptoms=tuple(symptoms),
            seed=seed,
            started_from=trainer.started_from,
            pictures={"training": len(training), "validation": len(validation)},
            identity=identity,
            digest=digest([*training, *validation]),
            synthetic=synthetic,
            device=trainer.device,
            memory_plan=str(trainer.plan),
            best_epoch=progress.best_epoch,
            seconds=round(progress.seconds, 1),
            images_a_second=round(float(np.mean([row["images_a_second"] for row in progress.history])), 2),
            history=progress.history,
        ),
    )


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Hold the folder for this process; the lock goes with the process, however it ends."""
    with (out / LOCK_FILE).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunInvalid(f"Another process trains in {out}. Wait for it, or name a new folder.") from error
        yield


def _same(run: Run, recipe: Recipe, identity: str) -> Run:
    if (run.facts.recipe, run.facts.identity) != (recipe, identity):
        raise RunInvalid(f"{run.folder} holds a finished run of another training. Name a new folder.")
    logger.info("%s is finished already.", run.folder)
    return run


class _Trainer:
    def __init__(
        self,
        recipe: Recipe,
        training: Sequence[Record],
        validation: Sequence[Record],
        symptoms: tuple[str, ...],
        out: Path,
        seed: int,
        weights: Path | None,
        options: Options,
    ) -> None:
        self.recipe, self.symptoms, self.out, self.seed, self.options = recipe, symptoms, out, seed, options
        self.device = choose_device(options.device)
        spec = preprocessing(recipe)
        self.pictures = Pictures(training, symptoms, spec, augmentation(recipe.augmentation, spec), seed)
        self.held_out = Pictures(validation, symptoms, spec)
        self.held_out_grades = grades_of(validation, symptoms)
        self.loss = create_loss(recipe, grades_of(training, symptoms))
        self.batch = min(recipe.batch, len(training))
        self.steps = steps_in(len(training), self.batch)
        count = outputs_for(len(GRADES), recipe.output) * len(symptoms)
        start, self.started_from = start_weights(recipe.architecture, count, seed, weights)
        network = create_filled_network(recipe.architecture, count, recipe.image_size, start)
        self.network = network.requires_grad_(True).to(self.device).to(memory_format=torch.channels_last)
        self._freeze(self.network)
        self.forward: Callable[[torch.Tensor], torch.Tensor] = self.network
        self.averaged = AveragedModel(self.network, multi_avg_fn=average_by(recipe.ema), use_buffers=True)
        self.averaged.eval()
        self.optimizer = create_optimizer(self.network, recipe)
        cuda = self.device.startswith("cuda") and recipe.mixed_precision
        self.half = torch.bfloat16 if cuda and torch.cuda.is_bf16_supported() else torch.float16 if cuda else None
        self.scaler = torch.amp.GradScaler("cuda", enabled=self.half is torch.float16)
        self.progress: Progress
        self.plan: MemoryPlan

    def resume(self, identity: str) -> None:
        """Take up the checkpoint of the training of this identity, or make the memory plan for a new one."""
        self.progress = Progress(identity)
        kept = load_checkpoint(self.out, self._networks(), self.optimizer)
        if kept is None:
            self.plan = plan_memory(
                self._try_step, self.batch, device=self.device, memory_limit=self.options.memory_limit
            )
            self.progress.plan = asdict(self.plan)
        else:
            if kept.identity != identity:
                raise RunInvalid(f"{self.out} holds the beginning of another training. Name a new folder.")
            self.progress, self.plan = kept, MemoryPlan(**kept.plan)
            self.scaler.load_state_dict(kept.scaler)
            logger.info("Going on in epoch %d at step %d of %d.", kept.epoch + 1, kept.step, self.steps)
        logger.info("%s: %s, from %s; %s", self.recipe.name, self.device, self.started_from, self.plan)
        self.micro_batches = MicroBatches(self.network, self.plan)
        # A compiled block can't be computed again with its buffers kept, as checkpointing has it.
        if self.options.compiled and not self.plan.checkpointing:
            self.forward = torch.compile(self.network)

    def go_on(self) -> None:
        progress = self.progress
        while progress.epoch < self.recipe.epochs and not progress.stopped_early:
            self._epoch()
            self._judge()
            progress.begin_epoch(progress.epoch + 1)
            self._save()

    def _epoch(self) -> None:
        progress, recipe = self.progress, self.recipe
        self._freeze(self.network.train())
        batches = training_batches(
            self.pictures, self.batch, seed=self.seed, epoch=progress.epoch, skip=progress.step,
            workers=self.options.workers,
        )  # fmt: skip
        label = f"{recipe.name} {progress.epoch + 1}/{recipe.epochs}"
        saved = started = time.perf_counter()
        seconds, epoch_seconds = progress.seconds, progress.epoch_seconds
        with tqdm(batches, label, self.steps, initial=progress.step, unit="step", mininterval=1) as bar:
            for batch in bar:
                progress.loss_sum += self._step(batch)
                progress.step += 1
                passed = time.perf_counter() - started
                progress.seconds, progress.epoch_seconds = seconds + passed, epoch_seconds + passed
                bar.set_postfix(loss=f"{progress.loss_sum / progress.step:.3f}", refresh=False)
                if time.perf_counter() - saved > self.options.checkpoint_seconds:
                    self._save()
                    saved = time.perf_counter()

    def _freeze(self, network: nn.Module) -> None:
        """Hold the first layers, their batch-norms' statistics as well, where the recipe says so."""
        if self.recipe.frozen_blocks:
            stem = [network.get_submodule("_conv_stem"), network.get_submodule("_bn0")]
            blocks = list(network.get_submodule("_blocks").children())
            for module in (*stem, *blocks[: self.recipe.frozen_blocks]):
                module.eval().requires_grad_(False)

    def _step(self, batch: Sequence[torch.Tensor]) -> float:
        progress = self.progress
        torch.manual_seed(seed_of(self.seed, progress.epoch, progress.step, 1))
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.recipe, progress.epoch + progress.step / self.steps)
        loss = self.micro_batches.step(batch, self._loss_of, lambda part: self.scaler.scale(part).backward())
        self.plan = self.micro_batches.plan
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.averaged.update_parameters(self.network)
        return float(loss)

    def _loss_of(self, pictures: torch.Tensor, grades: torch.Tensor, marked: torch.Tensor) -> torch.Tensor:
        """The loss by grades, and by ranking where pictures are marked."""
        pictures = pictures.to(self.device, memory_format=torch.channels_last, non_blocking=True)
        with torch.autocast("cuda", dtype=self.half, enabled=self.half is not None):
            outputs = self.forward(pictures)
        outputs = outputs.float().unflatten(1, (len(self.symptoms), -1))
        loss = self.loss(outputs, grades.to(self.device))
        if marked.isnan().all():
            return loss
        scores = score(to_probabilities(outputs, self.recipe.output)).float()
        return loss + rank_marked(scores, marked.to(self.device))

    def _try_step(self, micro_batch: int, checkpointing: bool) -> None:
        """One step on copies of everything, to see whether it fits into memory."""
        trial = copy.copy(self)
        trial.network = copy.deepcopy(self.network).train()
        trial._freeze(trial.network)
        trial.forward = trial.network
        optimizer = create_optimizer(trial.network, self.recipe)
        size = self.recipe.image_size
        pictures = torch.zeros(micro_batch, 3, size, size)
        grades = torch.zeros(micro_batch, len(self.symptoms), dtype=torch.long)
        checkpoint_blocks(trial.network, checkpointing)
        marked = torch.rand(micro_batch, len(self.symptoms))
        trial._loss_of(pictures, grades, marked).backward()
        optimizer.step()

    def _judge(self) -> None:
        """Answer the validation part, write the row of this epoch, and keep the weights if they are the best."""
        started = time.perf_counter()
        network = self.averaged.module if self.recipe.ema else self.network.eval()
        outputs = answer(
            network,
            self.held_out,
            device=self.device,
            batch=max(self.plan.micro_batch, 8),
            workers=self.options.workers,
        )
        probabilities = to_probabilities(torch.from_numpy(outputs), self.recipe.output)
        confusions = np.stack(
            [
                confusion_matrix(truth, said, len(GRADES))
                for truth, said in zip(self.held_out_grades.T, probabilities.argmax(dim=-1).numpy().T, strict=True)
            ]
        )
        progress = self.progress
        progress.seconds += time.perf_counter() - started
        row = {
            "epoch": progress.epoch + 1,
            "learning_rate": learning_rate(self.recipe, progress.epoch + 1),
            "training_loss": progress.loss_sum / progress.step,
            "qwk": _mean(quadratic_weighted_kappa(confusions)),
            "macro_f1": _mean(macro_f1(confusions)),
            "accuracy": _mean(accuracy(confusions)),
            "images_a_second": progress.step * self.batch / progress.epoch_seconds,
            "seconds": progress.seconds,
        }
        progress.history.append(row)
        logger.info(
            "Epoch %d: loss %.3f, QWK %.3f, macro-F1 %.3f, accuracy %.3f on the validation part, %.0f s so far",
            row["epoch"], row["training_loss"], row["qwk"], row["macro_f1"], row["accuracy"], row["seconds"],
        )  # fmt: skip
        write_log(self.out, progress.history, f"{self.recipe.name}: {', '.join(self.symptoms)}")
        if row[self.recipe.monitor] > progress.best_score:
            progress.best_epoch, progress.best_score = progress.epoch, row[self.recipe.monitor]
            write_weights(self.out, network.state_dict())
        patience = self.recipe.patience
        progress.stopped_early = (bool(patience) and progress.epoch - progress.best_epoch >= patience) or row[
            self.recipe.monitor
        ] >= (self.recipe.enough or math.inf)

    def _save(self) -> None:
        self.progress.plan = asdict(self.plan)
        self.progress.scaler = self.scaler.state_dict()
        save_checkpoint(self.out, self.progress, self._networks(), self.optimizer)

    def _networks(self) -> dict[str, nn.Module]:
        return {"network": self.network, "averaged": self.averaged}


def _identity(
    recipe: Recipe,
    training: Sequence[Record],
    validation: Sequence[Record],
    symptoms: Sequence[str],
    seed: int,
    weights: Path | None,
) -> str:
    """What has to be the same for a training to go on: all but where it ends."""
    asked = recipe.model_dump(exclude={"name", "description", "patience", "enough"})
    # The former keys, so that runs of earlier versions keep their identity.
    former = {key: name for name, key in FORMER_KEYS.items()}
    asked = {former.get(key, key): value for key, value in asked.items()}
    start = weights_digest(weights) if weights else None
    facts = [asked, digest(training), digest(validation), list(symptoms), seed, start]
    if marked := sorted({(record.id, record.marked) for record in training if record.looked_for}):
        facts.append(marked)
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _mean(figures: np.ndarray) -> float:
    """The mean over symptoms, those without a figure left out; 0 where there is none."""
    return float(np.nanmean(figures)) if np.isfinite(figures).any() else 0.0
