"""What can go wrong in `ml`. Every message is a sentence for whoever runs the command or the service."""

from __future__ import annotations


class MLError(Exception):
    """Anything that `ml` refuses or fails to do."""


class BundleInvalid(MLError):
    """A bundle does not verify: the message names the file and what to do."""


class WeightsUnreadable(MLError):
    """A weights file from elsewhere cannot be read or fits no architecture of the registry."""


class PhotoUnreadable(MLError):
    """A photo is missing, damaged, or of a kind that no installed decoder reads."""


class DataSetInvalid(MLError):
    """A data set is not there, or nothing in it can be used."""


class SplitInvalid(MLError):
    """A split cannot be made, cannot be read, or is of other pictures than those at hand."""


class RecipeInvalid(MLError):
    """A training recipe is not there, or says something that no training can do."""


class RunInvalid(MLError):
    """A folder is no training run, or not one that can be used here."""


class GateInvalid(MLError):
    """A folder holds no fitted gate, or a damaged one."""


class AdaptationInvalid(MLError):
    """Photographs or expected shares that no bundle can be adapted to."""


class ModelError(MLError):
    """A model could not be loaded or run."""


class DeviceUnavailable(ModelError):
    """The device that was asked for does not exist here."""


class OutOfMemory(ModelError):
    """The device has no memory left for this batch; a smaller one may pass."""


class DeviceLost(ModelError):
    """The device failed for good: CUDA errors are sticky, so the process has to be left (pytorch #2300)."""
