"""The states of an analysis and the one table of the moves between them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    REJECTED = "rejected", _("Rejected")
    FAILED = "failed", _("Failed")
    CANCELED = "canceled", _("Canceled")
    EXPIRED = "expired", _("Expired")


#: To where a state may move, and why.
TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset(
        {
            Status.RUNNING,  # a worker claims it
            Status.CANCELED,  # its owner does not want it any more
            Status.EXPIRED,  # its photo is past retention
        }
    ),
    Status.RUNNING: frozenset(
        {
            Status.SUCCEEDED,  # six findings and a Human are written
            Status.REJECTED,  # the gate or the photo's quality refused it
            Status.FAILED,  # an error of ours, or no attempts left
            Status.CANCELED,  # its owner does not want it any more
            Status.QUEUED,  # the lease lapsed or the worker gave it back, and attempts are left
        }
    ),
    Status.FAILED: frozenset({Status.QUEUED}),  # its owner tries again
    Status.CANCELED: frozenset({Status.QUEUED}),  # its owner thought better of it
    Status.SUCCEEDED: frozenset(),
    Status.REJECTED: frozenset(),
    Status.EXPIRED: frozenset(),
}

WAITING = frozenset({Status.QUEUED, Status.RUNNING})  #: something is still going to happen
ENDED = frozenset(Status) - WAITING


def sources(target: Status) -> frozenset[Status]:
    """The states from which `target` can be reached in one move."""
    return frozenset(state for state, targets in TRANSITIONS.items() if target in targets)
