"""Estimates: how long a finished run would have taken on a GPU, from its floating-point operations.

An estimate and no measurement: what a GPU sustains is assumed, only the operations and the loading are measured.
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

#: A step of training in forward passes: the backward pass takes two, one for the weights and one for the inputs.
#: Frozen blocks need no such pass, so this is an upper bound for recipes that have some.
PASSES_PER_STEP = 3


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU and its host: the TFLOP/s that it sustains in these networks, and the processes that load pictures.

    Depthwise convolutions keep EfficientNets far below the peak of a GPU, so 10 TFLOP/s is a cautious figure for a
    current one in mixed precision.
    """

    tflops: float = 10.0
    loaders: int = 8

    def __str__(self) -> str:
        return f"sustains {self.tflops:g} TFLOP/s in these networks, with pictures loaded by {self.loaders} processes"

    def seconds(self, gflops: float, pictures: int, loading_rate: float) -> float:
        """Seconds for so many GFLOP on so many pictures, whichever of computing and loading takes longer.

        `loading_rate` is pictures per second and process.
        """
        return max(gflops / (self.tflops * 1e3), pictures / (loading_rate * self.loaders))


def training_seconds(facts: RunFacts, loading_rate: float, gpu: Gpu) -> float:
    """What this run's training would take on a GPU: its steps, and the answers to the validation part."""
    epochs, training, validation = len(facts.history), facts.pictures["training"], facts.pictures["validation"]
    passes = epochs * (PASSES_PER_STEP * training + validation)
    one = gflop(facts.recipe.architecture, facts.recipe.image_size)
    return gpu.seconds(passes * one, epochs * (training + validation), loading_rate)


def answering_seconds(facts: RunFacts, pictures: int, loading_rate: float, gpu: Gpu) -> float:
    """What this run's answers to so many pictures would take on a GPU."""
    one = gflop(facts.recipe.architecture, facts.recipe.image_size)
    return gpu.seconds(pictures * one, pictures, loading_rate)


def measure_loading(records: Sequence[Record], recipe: Recipe, symptoms: Sequence[str], count: int = 32) -> float:
    """Pictures per second that one process here decodes and augments, measured on the first `count` records."""
    spec = preprocessing(recipe)
    pictures = Pictures(records[:count], symptoms, spec, augmentation(recipe.augmentation, spec))
    started = time.perf_counter()
    for index in range(len(pictures)):
        pictures[index]
    return len(pictures) / (time.perf_counter() - started)
