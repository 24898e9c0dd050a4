"""An end without a result: what happened, why, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext

from backend.analyses.pages.guidance import Pair, pairs_for
from backend.analyses.reasons import reason_text
from backend.analyses.selectors.status import AnalysisStatus
from backend.analyses.states import Status


class Ending:
    """A rejected, failed, canceled or expired analysis in the reader's language."""

    def __init__(self, analysis: AnalysisStatus) -> None:
        self._analysis = analysis

    @property
    def heading(self) -> str:
        if self._analysis.status == Status.REJECTED:
            return {
                "too_far": gettext("The photo was taken from too far away"),
                "too_dark": gettext("The photo is too dark"),
                "too_bright": gettext("The photo is too bright"),
                "too_blurred": gettext("The photo is out of focus"),
            }.get(self._analysis.code, gettext("We could not recognize a close-up of a scalp"))
        return {
            Status.CANCELED: gettext("The analysis was canceled"),
            Status.EXPIRED: gettext("The photo waited too long"),
        }.get(self._analysis.status, gettext("We could not finish the analysis"))

    @property
    def reason(self) -> str:
        if self._analysis.status == Status.CANCELED:
            return gettext("It was stopped, so there is no result.")
        return str(reason_text(self._analysis.code))

    @property
    def pairs(self) -> Sequence[Pair]:
        """Drawings of what to do better, where the photo was the reason."""
        return pairs_for(self._analysis.code)

    @property
    def rejected(self) -> bool:
        """Whether the photo was the reason."""
        return self._analysis.status == Status.REJECTED

    @property
    def croppable(self) -> bool:
        """Whether the skin may be a small part of the photo, so that a closer photo or a crop of this one may do."""
        return self._analysis.code in {"too_far", "not_a_scalp"}

    @property
    def photo(self) -> str:
        """What has become of the photo, where the reason does not say it already."""
        if self._analysis.retryable:
            return gettext("Your photo is still here, so you can try again without sending it again.")
        if self._analysis.photo_kept or self._analysis.status == Status.EXPIRED:
            return ""
        return gettext("The photo has been deleted.")
