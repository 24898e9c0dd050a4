"""The report: a result in sentences, most marked sign first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.utils.html import format_html
from django.utils.translation import gettext, ngettext

from backend.analyses.pages.quality import quality_meters
from backend.analyses.pages.signs import SIGNS, WITHHELD_REASONS
from backend.analyses.pages.spectrum import Spectrum, describe_grades, findings_spectrum
from backend.analyses.pages.words import clue_words, confidence_words, grade_of, join_names, label_word, type_word
from backend.analyses.results import Result
from ml.labels import GRADES, SYMPTOMS

#: The first sentence has room for this many full names of signs; if there are more, it uses the short ones.
MAX_FULL_NAMES = 2


@dataclass(frozen=True)
class ReportedSign:
    """One symptom as the report shows it; `grade` is None where it is not rated, and `why` says in a sentence why.

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
    why: str = ""

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
        #: Whether any sign was rated, and whether what was not leaves the type open.
        self.rated, self.open = result.rated, result.open
        self._open_signs = result.open_signs
        self._findings = {finding.symptom: finding for finding in result.findings}

    @cached_property
    def grades(self) -> list[int | None]:
        """Six grades in the order of `SYMPTOMS`, None where a sign is not rated."""
        found = [self._findings[symptom.key] for symptom in SYMPTOMS]
        return [None if finding.abstains else finding.grade for finding in found]

    @cached_property
    def signs(self) -> list[ReportedSign]:
        """Most marked first, those that are not rated last; equals in the order of the symptoms."""
        signs = []
        for symptom in SYMPTOMS:
            finding, sign = self._findings[symptom.key], SIGNS[symptom.key]
            if finding.abstention:
                grade, word, confidence, care = None, gettext("Not rated"), "", ""
                sentence = why = str(WITHHELD_REASONS[finding.abstention])
                if finding.abstention == "unsure":
                    sentence += " " + gettext("Part the hair and take another photo from closer up.")
            else:
                why = ""
                grade, care = finding.grade, sign.care(finding.grade, demo=self.demo)
                word, confidence = label_word(GRADES[grade]), confidence_words(finding.confidence)
                sentence = str(sign.seen if grade else sign.unseen)
            name, meaning = label_word(symptom), str(sign.meaning)
            clue = clue_words(finding.map) if finding.map else ""
            said = (sentence, meaning, care, clue, why)
            signs.append(ReportedSign(symptom.key, name, str(sign.short), grade, word, confidence, *said))
        return sorted(signs, key=lambda sign: -1 if sign.grade is None else sign.grade, reverse=True)

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
        """Whether a sign is rated severe, by models whose grades may send somebody to a dermatologist (`Sign.care`)."""
        return not self.demo and self.grades.count(3) > 0

    @property
    def title(self) -> str:
        return gettext("Scalp report")

    @property
    def sentence(self) -> str:
        """Type and degree in one sentence, or why they are open, as HTML where it sets words off."""
        if not self.rated:
            return gettext("None of the six signs could be rated in this photo")
        if self.open:
            signs = [sign for sign in self.signs if sign.grade is None and sign.key in (self._open_signs or SIGNS)]
            names = [(sign.name if len(signs) <= MAX_FULL_NAMES else sign.short).lower() for sign in signs]
            open_type = gettext(
                "The scalp type is <em>not determined</em>:<br>{signs} could not be rated in this photo"
            )
            return format_html(open_type, signs=join_names(names))
        if self._degree == 0:
            return format_html(gettext("This scalp looks<br><em>{type}</em>"), type=type_word(self._skin).lower())
        sentences = (
            gettext("This looks like the <em>{type}</em> scalp type,<br><em>mild</em>"),
            gettext("This looks like the <em>{type}</em> scalp type,<br><em>moderate</em>"),
            gettext("This looks like the <em>{type}</em> scalp type,<br><em>severe</em>"),
        )
        return format_html(sentences[self._degree - 1], type=type_word(self._skin).lower())

    @property
    def lede(self) -> str:
        """Which signs are seen, and which are not rated."""
        if not self.rated:
            return gettext("Each sign below says why.")
        seen = [sign.name for sign in self.signs if sign.grade]
        unrated = [sign.name for sign in self.signs if sign.grade is None]
        parts = []
        if seen:
            parts.append(
                ngettext(
                    "Of the six signs, %(n)d is visible: %(names)s.",
                    "Of the six signs, %(n)d are visible: %(names)s.",
                    len(seen),
                )
                % {"n": len(seen), "names": ", ".join(seen)}
            )
        elif unrated:
            parts.append(gettext("None of the rated signs is clearly visible."))
        else:
            parts.append(gettext("None of the six signs is clearly visible."))
        if unrated:
            parts.append(gettext("Not rated: %(names)s.") % {"names": ", ".join(unrated)})
        return " ".join(parts)

    @property
    def scale(self) -> str:
        """How to read the numbers: “0 good · 1 mild · …”."""
        marks = [(str(number), label_word(grade)) for number, grade in enumerate(GRADES)]
        if None in self.grades:
            marks.append(("?", gettext("Not rated")))
        return " · ".join(f"{mark}\u00a0{word}" for mark, word in marks)

    @cached_property
    def spectrum(self) -> Spectrum:
        return findings_spectrum(self.grades, describe_grades(self.grades, gettext("not rated")))
