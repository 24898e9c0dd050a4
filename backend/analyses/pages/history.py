"""The reports that a browser keeps. They never come here: the page is a shell, and a script fills it on the device."""

from __future__ import annotations

import json
from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from backend.analyses.judgment import SignJudgment, SignState
from backend.analyses.presentation.signs import SIGNS
from backend.analyses.presentation.spectrum import HEIGHT, WIDTH, progress_spectrum
from backend.analyses.presentation.words import grade_mark, grade_word, label_word
from ml.labels import GRADES, SCALP_TYPES, SYMPTOMS

#: All that may be said of a sign: a grade, two neighboring ones, or none.
_STATEMENTS = tuple(
    SignJudgment("", SignState.RATED, lowest, highest, ())
    for lowest, highest in ((0, 0), (1, 1), (2, 2), (3, 3), (0, 1), (1, 2), (2, 3), (None, None))
)


@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """The page; with `?shell` as the service worker caches it."""
    return history_shell(request) if "shell" in request.GET else _render(request, with_languages=True)


def history_shell(request: HttpRequest) -> HttpResponse:
    """Without the choice of language, whose form has a token that no cache may have."""
    return _render(request, with_languages=False)


def _render(request: HttpRequest, *, with_languages: bool) -> HttpResponse:
    """The empty page with every text that the script may need, and no personal data."""
    words = {
        "keys": [symptom.key for symptom in SYMPTOMS],
        "signs": [label_word(symptom) for symptom in SYMPTOMS],
        "grades": [label_word(grade) for grade in GRADES],
        "marks": {grade_mark(sign): grade_word(sign) for sign in _STATEMENTS},
        "degrees": {grade.korean: label_word(grade) for grade in GRADES},
        "types": {label.korean: label_word(label) for label in SCALP_TYPES},
        "unrated": gettext("not rated"),
        "open": gettext("Scalp type not determined"),
        "noneRated": gettext("No sign could be rated"),
        "demo": gettext("demo"),
        "photoOf": gettext("Photo of {date}"),
        "allPlaces": gettext("All places"),
        "noPlace": gettext("No place given"),
        # Where on the head a photo was taken. The keys are stored in the browser.
        "places": {
            "crown": gettext("Crown"),
            "front": gettext("Front hairline"),
            "left": gettext("Left side"),
            "right": gettext("Right side"),
            "back": gettext("Back of the head"),
            "parting": gettext("Part"),
        },
    }
    context = {
        "words": words,
        "words_json": json.dumps(words, ensure_ascii=False),
        "short_names": [sign.short for sign in SIGNS.values()],
        "bare": replace(progress_spectrum(None, ""), view_box=f"0 164 {WIDTH} {HEIGHT - 164}"),
        "sides": [("left", gettext("On the left")), ("right", gettext("On the right"))],
        "with_languages": with_languages,
    }
    return render(request, "pages/history.html", context)
