"""A visitor who sends a photo through the pages, and what becomes of it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from backend.analyses.grades import Grade
from backend.analyses.results import Result
from backend.analyses.selectors.status import analysis_status
from backend.analyses.services.attempt import analysis_claim, analysis_succeed
from ml.labels import SYMPTOMS, Abstention
from tests.support.pictures import photo_jpeg

PHOTO = photo_jpeg()


def send(visitor: Client, photo: bytes | None = PHOTO, **answers: str) -> HttpResponse:
    given = {"sex": "female", "age": "30s", "consent": "true", "key": str(uuid.uuid4()), **answers}
    upload = {} if photo is None else {"photo": SimpleUploadedFile("photo.jpg", photo, "image/jpeg")}
    return visitor.post("/", {**given, **upload})


def sent(visitor: Client) -> uuid.UUID:
    """A queued analysis."""
    return uuid.UUID(send(visitor)["Location"].split("/")[2])


#: By the place of a sign, why it is not rated; places alone: it is unsure.
Unrated = Mapping[int, Abstention] | Collection[int]


def graded(grades: Sequence[int], *, abstaining: Unrated = ()) -> list[Grade]:
    reasons: Mapping[int, Abstention] = (
        abstaining if isinstance(abstaining, Mapping) else dict.fromkeys(abstaining, "unsure")
    )
    return [
        Grade(symptom.key, grade, (0.25, 0.25, 0.25, 0.25), 0.9, reasons.get(number))
        for number, (symptom, grade) in enumerate(zip(SYMPTOMS, grades, strict=True))
    ]


def finish(analysis: uuid.UUID, grades: Sequence[int], *, abstaining: Unrated = (), demo: bool = True) -> Result:
    claim = analysis_claim(analysis, worker="model@test")
    assert claim
    assert analysis_succeed(claim, graded(grades, abstaining=abstaining), bundle="demo@1", demo=demo)
    result = analysis_status(analysis).result
    assert result
    return result


def reported(visitor: Client) -> uuid.UUID:
    """An analysis with a report."""
    analysis = sent(visitor)
    finish(analysis, (0, 2, 2, 0, 1, 0))
    return analysis
