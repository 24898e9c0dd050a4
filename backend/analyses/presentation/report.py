"""The report: a judgment in sentences, most pronounced sign first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.utils.html import strip_tags
from django.utils.translation import gettext

from backend.analyses.judgment import SignJudgment, SignState, Urgency
from backend.analyses.presentation.doctor_tiers import TIERS
from backend.analyses.presentation.headline import headline, lede, next_action
from backend.analyses.presentation.quality import quality_meters
from backend.analyses.presentation.signs import SIGNS, WITHHELD_REASONS
from backend.analyses.presentation.spectrum import Spectrum, describe_signs, findings_spectrum
from backend.analyses.presentation.words import (
    clue_words,
    confidence_words,
    grade_mark,
    grade_word,
    label_word,
    sign_name,
)
from backend.analyses.results import Result
from ml.labels import GRADES


@dataclass(frozen=True)
class ReportedSign:
    """One symptom as the report shows it.

    `mark` is “2”, “1–2” or “?” and `word` says it. `seen`, `care` and `doctor` are sentences, empty where nothing is
    to be said; `why` says why it is not rated. `clue` says where on the photo most of the evidence is, if it has a map.
    """

    key: str
    name: str
    short: str
    judgment: SignJudgment
    mark: str
    word: str
    confidence: str
    seen: str
    definition: str
    care: str
    doctor: str
    clue: str
    why: str

    @property
    def css(self) -> str:
        """The class of the grade, `k0` to `k3`, by the higher of two; `kx` if it is not rated."""
        return "kx" if self.judgment.highest is None else f"k{self.judgment.highest}"

    @property
    def gauge(self) -> list[str]:
        """Three steps: `on` up to the grade, `maybe` for the higher of two, and empty."""
        lowest, highest = self.judgment.lowest or 0, self.judgment.highest or 0
        return ["on" if step <= lowest else "maybe" if step <= highest else "" for step in range(1, len(GRADES))]


class Report:
    """A result in the reader's language."""

    tiers = TIERS

    def __init__(self, result: Result) -> None:
        self.bundle, self.demo = result.bundle, result.demo
        self.judgment = result.judgment
        self.meters = quality_meters(result.quality) if result.quality else []
        self._findings = {finding.symptom: finding for finding in result.findings}

    @cached_property
    def signs(self) -> list[ReportedSign]:
        """The most pronounced first, those that are not rated last; equals in the order of the symptoms."""
        signs = [self._report_sign(sign) for sign in self.judgment.signs]
        return sorted(signs, key=lambda sign: _order(sign.judgment), reverse=True)

    @property
    def visible_signs(self) -> list[ReportedSign]:
        """The signs that are there, and those that may be."""
        return [sign for sign in self.signs if sign.judgment.highest]

    @property
    def absent_signs(self) -> list[ReportedSign]:
        return [sign for sign in self.signs if sign.judgment.state == SignState.ABSENT]

    @property
    def unrated_signs(self) -> list[ReportedSign]:
        return [sign for sign in self.signs if sign.judgment.state == SignState.UNRATED]

    @property
    def mapped_signs(self) -> list[ReportedSign]:
        """The signs with a map, in the order of the report."""
        return [sign for sign in self.signs if sign.clue]

    @property
    def photo_is_good(self) -> bool:
        """Whether light, contrast and focus are all good."""
        return all(meter.good for meter in self.meters)

    @property
    def urges_doctor(self) -> bool:
        """Whether a sign asks for a dermatologist soon."""
        return self.judgment.urgency == Urgency.SOON

    @property
    def title(self) -> str:
        return gettext("Scalp report")

    @property
    def sentence(self) -> str:
        return headline(self.judgment)

    @property
    def plain_sentence(self) -> str:
        """The same without HTML."""
        return strip_tags(self.sentence.replace("<br>", " "))

    @property
    def lede(self) -> str:
        return lede(self.judgment)

    @property
    def action(self) -> str:
        return next_action(self.judgment)

    @property
    def scale(self) -> str:
        """How to read the numbers: “0 good · 1 mild · …”."""
        marks = [(str(number), label_word(grade)) for number, grade in enumerate(GRADES)]
        if self.unrated_signs:
            marks.append(("?", gettext("Not rated")))
        return " · ".join(f"{mark}\u00a0{word}" for mark, word in marks)

    @cached_property
    def spectrum(self) -> Spectrum:
        return findings_spectrum(self.judgment.signs, describe_signs(self.judgment.signs))

    def _report_sign(self, sign: SignJudgment) -> ReportedSign:
        finding, texts = self._findings[sign.symptom], SIGNS[sign.symptom]
        name = sign_name(sign.symptom)
        seen = confidence = care = doctor = why = ""
        if sign.state == SignState.UNRATED:
            assert sign.reason is not None, "What is not rated has a reason."
            why = str(WITHHELD_REASONS[sign.reason])
            if sign.reason == "unsure" and self.meters and not self.photo_is_good:
                why += " " + gettext("A brighter, sharper photo may settle it.")
        elif sign.state == SignState.ABSENT:
            seen = str(texts.absent)
        elif sign.state == SignState.BETWEEN:
            seen = gettext("It is between two grades, and this photo doesn’t settle which.")
        else:
            seen = str(texts.stage(sign.lowest or 0).seen)
        if sign.state in (SignState.RATED, SignState.ABSENT) and not self.demo:
            confidence = confidence_words(finding.confidence)
        if grade := sign.advised_grade:
            care = str(texts.stage(grade).care)
            doctor = "" if self.demo else str(texts.stage(grade).doctor)
        return ReportedSign(
            key=sign.symptom,
            name=name,
            short=str(texts.short),
            judgment=sign,
            mark=grade_mark(sign),
            word=grade_word(sign),
            confidence=confidence,
            seen=seen,
            definition=str(texts.definition),
            care=care,
            doctor=doctor,
            clue=clue_words(finding.map) if finding.map else "",
            why=why,
        )


def _order(sign: SignJudgment) -> tuple[int, int]:
    return (-1, -1) if sign.highest is None else (sign.highest, sign.lowest or 0)
