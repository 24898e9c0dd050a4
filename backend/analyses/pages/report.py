"""The report: a result in sentences, most marked sign first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.utils.html import format_html
from django.utils.translation import gettext, ngettext

from backend.analyses.pages.quality import quality_meters
from backend.analyses.pages.signs import SIGNS
from backend.analyses.pages.spectrum import Spectrum, described, findings_spectrum
from backend.analyses.pages.words import clue_words, confidence_words, grade_of, label_word, type_word
from backend.analyses.selectors.status import Result
from ml.labels import GRADES, SYMPTOMS


@dataclass(frozen=True)
class ReportedSign:
    """One symptom as the report shows it; `grade` is None where the grader held its judgement back.

    `clue` says where on the photo most spoke for the grade; empty where there is no map of it.
    """

    key: str
    name: str
    short: str
    grade: int | None
    word: str
    confidence: str
    sentence: str
    meaning: str
    care: str
    clue: str

    @property
    def gauge(self) -> list[bool]:
        """The four steps of the gauge, filled up to the grade."""
        return [self.grade is not None and step <= self.grade for step in range(len(GRADES))]


class Report:
    """A result in the reader's language."""

    def __init__(self, result: Result) -> None:
        self.bundle = result.bundle
        self.demo = result.demo
        self.meters = quality_meters(result.quality) if result.quality else []
        self._skin = result.skin
        self._degree = grade_of(result.pred)
        self._unsure = result.unsure
        self._findings = {finding.symptom: finding for finding in result.findings}

    @cached_property
    def grades(self) -> list[int | None]:
        """Six grades in the order of `SYMPTOMS`, None where judgement was held back."""
        found = [self._findings[symptom.key] for symptom in SYMPTOMS]
        return [None if finding.abstains else finding.grade for finding in found]

    @cached_property
    def signs(self) -> list[ReportedSign]:
        """Most marked first, those without a judgement last; equals in the order of the symptoms."""
        signs = []
        for symptom in SYMPTOMS:
            finding, sign = self._findings[symptom.key], SIGNS[symptom.key]
            if finding.abstains:
                grade, word, confidence, care = None, gettext("Held back"), "", ""
                sentence = gettext("This photo alone does not tell. Part the hair and take it again from closer up.")
            else:
                grade, care = finding.grade, sign.care(finding.grade)
                word, confidence = label_word(GRADES[grade]), confidence_words(finding.confidence)
                sentence = str(sign.seen if grade else sign.unseen)
            name, meaning = label_word(symptom), str(sign.meaning)
            clue = clue_words(bytes(finding.map)) if finding.map else ""
            signs.append(
                ReportedSign(symptom.key, name, str(sign.short), grade, word, confidence, sentence, meaning, care, clue)
            )
        return sorted(signs, key=lambda sign: -1 if sign.grade is None else sign.grade, reverse=True)

    @property
    def mapped(self) -> list[ReportedSign]:
        """The signs with a map, in the order of the report."""
        return [sign for sign in self.signs if sign.clue]

    @property
    def well_taken(self) -> bool:
        """Whether there is nothing to wish for of the photo."""
        return all(meter.good for meter in self.meters)

    @property
    def told(self) -> bool:
        """Whether any sign was judged at all."""
        return any(grade is not None for grade in self.grades)

    @property
    def severe(self) -> bool:
        return self.grades.count(3) > 0

    @property
    def title(self) -> str:
        return gettext("Scalp report")

    @property
    def sentence(self) -> str:
        """Type and degree in one sentence, as HTML where it sets words off."""
        if not self.told:
            return gettext("This photo alone does not tell")
        if self._degree == 0:
            return format_html(gettext("This scalp looks<br><em>{type}</em>"), type=type_word(self._skin).lower())
        if self._unsure:
            uncertain = gettext("Perhaps a scalp of the <em>{type}</em> type,<br>but that is <em>not certain</em>")
            return format_html(uncertain, type=type_word(self._skin).lower())
        sentences = (
            gettext("This looks like a scalp of the <em>{type}</em> type,<br><em>mildly</em> so"),
            gettext("This looks like a scalp of the <em>{type}</em> type,<br><em>moderately</em> so"),
            gettext("This looks like a scalp of the <em>{type}</em> type,<br><em>severely</em> so"),
        )
        return format_html(sentences[self._degree - 1], type=type_word(self._skin).lower())

    @property
    def lede(self) -> str:
        """Which signs are seen, and which were not judged."""
        seen = [sign.name for sign in self.signs if sign.grade]
        held_back = self.grades.count(None)
        parts = []
        if seen:
            parts.append(
                ngettext(
                    "Of the six signs, %(n)d is seen: %(names)s.",
                    "Of the six signs, %(n)d are seen: %(names)s.",
                    len(seen),
                )
                % {"n": len(seen), "names": ", ".join(seen)}
            )
        elif not held_back:
            parts.append(gettext("None of the six signs is clearly seen."))
        if held_back:
            parts.append(
                ngettext("On %(n)d sign judgement is held back.", "On %(n)d signs judgement is held back.", held_back)
                % {"n": held_back}
            )
        if self.told and self._unsure:
            parts.append(gettext("One of them bears on type and degree, so these two are not certain."))
        return " ".join(parts)

    @property
    def scale(self) -> str:
        """How to read the numbers: “0 good · 1 mild · …”."""
        return " · ".join(f"{number}\u00a0{label_word(grade)}" for number, grade in enumerate(GRADES))

    @cached_property
    def spectrum(self) -> Spectrum:
        return findings_spectrum(self.grades, described(self.grades, gettext("held back")))
