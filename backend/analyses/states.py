"""The states of an analysis and the table of transitions."""

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


#: The states that a state may move to, and why.
TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset(
        {
            Status.RUNNING,  # a worker claims it
            Status.CANCELED,  # its owner cancels it
            Status.EXPIRED,  # its photo is past retention
        }
    ),
    Status.RUNNING: frozenset(
        {
            Status.SUCCEEDED,  # six findings and a Human are written
            Status.REJECTED,  # the gate or the photo's quality rejected it
            Status.FAILED,  # a server error, or no attempts left
            Status.CANCELED,  # its owner cancels it
            Status.QUEUED,  # the lease expired or the worker requeued it, and attempts are left
        }
    ),
    Status.FAILED: frozenset({Status.QUEUED}),  # its owner tries again
    Status.CANCELED: frozenset({Status.QUEUED}),  # its owner tries again
    Status.SUCCEEDED: frozenset(),
    Status.REJECTED: frozenset(),
    Status.EXPIRED: frozenset(),
}

WAITING = frozenset({Status.QUEUED, Status.RUNNING})  #: not ended
ENDED = frozenset(Status) - WAITING


def sources(target: Status) -> frozenset[Status]:
    """The states from which `target` can be reached in one move."""
    return frozenset(state for state, targets in TRANSITIONS.items() if target in targets)
