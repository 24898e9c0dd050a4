"""Estimate how long a finished run would have taken on a GPU, from its floating-point operations.

Not a measurement: the sustained speed of a GPU is assumed, only the operations and the loading are measured.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from ml.data.records import Record
from ml.networks.flops import gflop
from ml.training.augmentation import augmentation
from ml.training.pictures import Pictures
from ml.training.recipe import Recipe
from ml.training.run import RunFacts, preprocessing

#: The cost of a training step in forward passes: backward costs two, one for the weights and one for the inputs. Frozen
#: blocks do not need it, so this is an upper bound for recipes with frozen blocks.
PASSES_PER_STEP = 3


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU and its host: its sustained TFLOP/s in these networks, and the processes that load pictures.

    EfficientNets stay far below the peak of a GPU because of their depthwise convolutions, so 10 TFLOP/s is a cautious
    figure for a current GPU in mixed precision.
    """

    tflops: float = 10.0
    loaders: int = 8

    def __str__(self) -> str:
        return f"sustains {self.tflops:g} TFLOP/s in these networks, with pictures loaded by {self.loaders} processes"

    def seconds(self, gflops: float, pictures: int, loading_rate: float) -> float:
        """Seconds for this many GFLOP and pictures: the longer of computing and loading.

        `loading_rate` is pictures per second and process.
        """
        return max(gflops / (self.tflops * 1e3), pictures / (loading_rate * self.loaders))


def training_seconds(facts: RunFacts, loading_rate: float, gpu: Gpu) -> float:
    """Seconds of this run's training on a GPU: its steps and its validation."""
    epochs, training, validation = len(facts.history), facts.pictures["training"], facts.pictures["validation"]
    passes = epochs * (PASSES_PER_STEP * training + validation)
    one = gflop(facts.recipe.architecture, facts.recipe.image_size)
    return gpu.seconds(passes * one, epochs * (training + validation), loading_rate)


def answering_seconds(facts: RunFacts, pictures: int, loading_rate: float, gpu: Gpu) -> float:
    """Seconds of this run's answers to this many pictures on a GPU."""
    one = gflop(facts.recipe.architecture, facts.recipe.image_size)
    return gpu.seconds(pictures * one, pictures, loading_rate)


def measure_loading(records: Sequence[Record], recipe: Recipe, symptoms: Sequence[str], count: int = 32) -> float:
    """Pictures per second that one process decodes and augments, measured on the first `count` records."""
    spec = preprocessing(recipe)
    pictures = Pictures(records[:count], symptoms, spec, augmentation(recipe.augmentation, spec))
    started = time.perf_counter()
    for index in range(len(pictures)):
        pictures[index]
    return len(pictures) / (time.perf_counter() - started)
