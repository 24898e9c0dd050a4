"""Errors of `ml`. Every message is a sentence for the person who runs the command or the service."""

from __future__ import annotations


class MLError(Exception):
    """Base class of all errors of `ml`."""


class BundleInvalid(MLError):
    """A bundle does not verify. The message names the file and what to do."""


class WeightsUnreadable(MLError):
    """A weights file cannot be read or matches no architecture of the registry."""


class PhotoUnreadable(MLError):
    """A photo is missing, damaged, or in a format that no installed decoder reads."""


class DataSetInvalid(MLError):
    """A data set does not exist or has nothing usable."""


class SplitInvalid(MLError):
    """A split cannot be made or read, or belongs to other pictures."""


class RecipeInvalid(MLError):
    """A training recipe does not exist or has invalid values."""


class RunInvalid(MLError):
    """A folder is not a training run, or not one that can be used here."""


class GateInvalid(MLError):
    """A folder has no fitted gate, or a damaged one."""


class AdaptationInvalid(MLError):
    """A bundle cannot be adapted to these photographs or expected shares."""


class ModelError(MLError):
    """A model could not be loaded or run."""


class DeviceUnavailable(ModelError):
    """The requested device or runtime is not available."""


class OutOfMemory(ModelError):
    """The device has too little memory for this batch; a smaller one may fit."""


class DeviceLost(ModelError):
    """The device failed permanently: CUDA errors are sticky, so the process must exit (pytorch #2300)."""
