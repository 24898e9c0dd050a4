"""Marked photographs: how well graders rank real photographs on which a person has marked signs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ml.data.marks import SIGN_OF_MARK, Marks
from ml.evaluation.card import table
from ml.labels import SYMPTOM_NAMES
from ml.metrics import auroc


@dataclass(frozen=True, slots=True)
class Ranking:
    """How one grader ranks marked photographs above those without the mark, as the area under the ROC curve."""

    symptom: str
    marked: int
    photographs: int
    auc: float


def rank_marked(scores: Mapping[str, np.ndarray], marks: Sequence[Marks]) -> tuple[Ranking, ...]:
    """The ranking by each grader whose sign was marked on some photographs and not on all.

    `scores` are a grader's `[n]` by symptom (`ml.levels.score`), for the photographs that have these `marks`.
    """
    rankings = []
    for mark, symptom in SIGN_OF_MARK.items():
        has = np.array([getattr(each, mark) > 0 for each in marks])
        if symptom in scores and 0 < has.sum() < len(has):
            auc = auroc(scores[symptom][has], scores[symptom][~has])
            rankings.append(Ranking(symptom, int(has.sum()), len(has), auc))
    return tuple(rankings)


def rankings_table(rankings: Mapping[str, Sequence[Ranking]]) -> str:
    """The rankings as Markdown, a column for each way of training that `rankings` names."""
    (first, *_), columns = rankings.values(), list(rankings)
    rows = [
        [SYMPTOM_NAMES[each.symptom], f"{each.marked} of {each.photographs}"]
        + [f"{next(row.auc for row in rankings[name] if row.symptom == each.symptom):.2f}" for name in columns]
        for each in first
    ]
    return table(["Sign", "Marked", *columns], rows)
