"""The time before there is a result: steps, place in the line, model, time left."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext

from backend.analyses.presentation.spectrum import Spectrum, progress_spectrum
from backend.analyses.presentation.words import label_word, seconds_words
from backend.analyses.selectors.queue import QueueOutlook
from backend.analyses.selectors.status import AnalysisStatus
from backend.analyses.states import Status
from backend.operations.selectors import pace
from ml.labels import SYMPTOMS


def outlook_words(outlook: QueueOutlook) -> str:
    """How long a photo sent now would take."""
    if not outlook.accepting:
        return gettext("Too many photos are waiting right now, so we are not taking new ones for the moment.")
    if not outlook.workers:
        return gettext("Checking is paused for now. We will keep your photo and check it as soon as it goes on.")
    if outlook.eta_seconds is None:
        return gettext("Photos are analyzed in the order they arrive.")
    return gettext("Once the photo has arrived, the result takes %(time)s.") % {
        "time": seconds_words(outlook.eta_seconds)
    }


def line_words(outlook: QueueOutlook) -> str:
    """How many photos wait now."""
    if not outlook.waiting:
        return gettext("No queue")
    waiting = ngettext("%(n)s photo is waiting", "%(n)s photos are waiting", outlook.waiting)
    return waiting % {"n": number_format(outlook.waiting, force_grouping=True)}


@dataclass(frozen=True)
class Step:
    """One step of the way; `state` is done, current or ahead."""

    name: str
    detail: str
    state: str


class Waiting:
    """An analysis that has not ended, in the reader's language."""

    def __init__(self, analysis: AnalysisStatus) -> None:
        self._analysis = analysis
        self._running = analysis.status == Status.RUNNING

    @property
    def _model(self) -> int:
        """Which of the models is looking, counted from 1."""
        return min(self._analysis.models_done + 1, self._analysis.models_total)

    @property
    def eyebrow(self) -> str:
        looking = self._running and self._analysis.models_done
        return gettext("Looking for this sign now") if looking else gettext("Your photo has arrived")

    @property
    def heading(self) -> str:
        if not self._running:
            return gettext("Your photo is in the queue")
        if self._analysis.models_done == 0:
            return gettext("Checking that it shows a scalp")
        return label_word(SYMPTOMS[self._model - 2])

    @property
    def title(self) -> str:
        """Heads the browser's tab."""
        if self._running:
            return self._model_of
        return gettext("In the queue: %(position)d") % {"position": self._analysis.position or 1}

    @property
    def _model_of(self) -> str:
        return gettext("Model %(model)d of %(total)d") % {"model": self._model, "total": self._analysis.models_total}

    @property
    def announcement(self) -> str:
        """What a screen reader says when the step, and only when the step, changes."""
        return gettext("The models are checking your photo now.") if self._running else gettext("Waiting in the queue.")

    @property
    def time_left(self) -> str:
        seconds = self._analysis.eta_seconds
        if seconds is None:
            if pace().workers:
                return gettext("We don’t know yet how long it will take.")
            return gettext("Checking is paused for now. Your photo keeps its place in the queue.")
        return gettext("Time left: %(time)s") % {"time": seconds_words(seconds)}

    @cached_property
    def steps(self) -> list[Step]:
        ahead = (self._analysis.position or 1) - 1
        if self._running:
            line = ""
        elif ahead:
            line = ngettext("%(n)d photo ahead of yours", "%(n)d photos ahead of yours", ahead) % {"n": ahead}
        else:
            line = gettext("Yours is next")
        return [
            Step(gettext("Received"), "", "done"),
            Step(gettext("In the queue"), line, "done" if self._running else "current"),
            Step(
                gettext("Seven models check it"),
                self._model_of if self._running else "",
                "current" if self._running else "ahead",
            ),
            Step(gettext("Report"), "", "ahead"),
        ]

    @cached_property
    def spectrum(self) -> Spectrum:
        description = self._model_of if self._running else gettext("No model has looked at it yet")
        return progress_spectrum(self._analysis.models_done if self._running else None, description)
