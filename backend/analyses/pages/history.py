"""The reports that a browser keeps. They never come here: the page is a shell, and a script fills it on the device."""

from __future__ import annotations

import json
from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from backend.analyses.judgment import SignJudgment, SignState
from backend.analyses.pages.signs import SIGNS
from backend.analyses.pages.spectrum import HEIGHT, WIDTH, findings_spectrum, progress_spectrum
from backend.analyses.pages.words import label_word
from ml.labels import GRADES, SCALP_TYPES, SYMPTOMS

#: What may be stated of a sign, by its mark: the lowest and the highest grade.
LEVELS: dict[str, tuple[int | None, int | None]] = {
    "0": (0, 0), "1": (1, 1), "2": (2, 2), "3": (3, 3), "0–1": (0, 1), "1–2": (1, 2), "2–3": (2, 3), "?": (None, None),
}  # fmt: skip


def _six(lowest: int | None, highest: int | None) -> list[SignJudgment]:
    """Six signs with the same grades, whose hairs the script takes one from."""
    return [SignJudgment(symptom.key, SignState.RATED, lowest, highest, ()) for symptom in SYMPTOMS]


@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """The empty page with every text and drawing that the script may need, and no personal data."""
    words = {
        "keys": [symptom.key for symptom in SYMPTOMS],
        "signs": [label_word(symptom) for symptom in SYMPTOMS],
        "grades": [label_word(grade) for grade in GRADES],
        "degrees": {grade.korean: label_word(grade) for grade in GRADES},
        "types": {label.korean: label_word(label) for label in SCALP_TYPES},
        "unrated": gettext("not rated"),
        "open": gettext("Scalp type not determined"),
        "noneRated": gettext("No sign could be rated"),
        "demo": gettext("demo"),
        "photoOf": gettext("Photo of {date}"),
    }
    context = {
        "words": words,
        "words_json": json.dumps(words, ensure_ascii=False),
        "short_names": [sign.short for sign in SIGNS.values()],
        # Five whole drawings, one per grade and one for not rated: the script assembles six hairs from them.
        "levels": [(mark, findings_spectrum(_six(*grades), "")) for mark, grades in LEVELS.items()],
        "bare": replace(progress_spectrum(None, ""), view_box=f"0 164 {WIDTH} {HEIGHT - 164}"),
        "sides": [("left", gettext("On the left")), ("right", gettext("On the right"))],
    }
    return render(request, "pages/history.html", context)
