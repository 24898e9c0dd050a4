"""The shared vocabulary: symptoms, grades, scalp types, and the rule from six grades to a type.

Pure Python, so that the web role can import it without torch. Order matters everywhere: the index of
a symptom here is its index in every array and every table, and `value_1 … value_6` of the AI Hub data
set (dataSetSn 216) count from one in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, get_args


@dataclass(frozen=True, slots=True)
class Label:
    """A term of the vocabulary: `key` in code and JSON, `korean` and `english` for people."""

    key: str
    korean: str
    english: str


SYMPTOMS: tuple[Label, ...] = (
    Label("fine_scaling", "미세각질", "Fine scaling"),
    Label("excess_sebum", "피지과다", "Excess sebum"),
    Label("interfollicular_erythema", "모낭사이홍반", "Redness between follicles"),
    Label("follicular_erythema_pustules", "모낭홍반/농포", "Follicular redness and pustules"),
    Label("dandruff", "비듬", "Dandruff"),
    Label("hair_loss", "탈모", "Hair loss"),
)

SYMPTOM_KEYS: tuple[str, ...] = tuple(symptom.key for symptom in SYMPTOMS)
#: English names by key.
SYMPTOM_NAMES: Mapping[str, str] = {symptom.key: symptom.english for symptom in SYMPTOMS}

GATE = Label("scalp_gate", "두피 사진 여부", "Is this a scalp photo?")


class GateClass(IntEnum):
    """The classes that the gate tells apart. The gates of older bundles lack the last one."""

    OTHER = 0
    SCALP = 1
    #: A scalp or a head from too far away.
    TOO_FAR = 2


#: Index is the grade, 0 to 3.
GRADES: tuple[Label, ...] = (
    Label("good", "양호", "Good"),
    Label("mild", "경증", "Mild"),
    Label("moderate", "중등도", "Moderate"),
    Label("severe", "중증", "Severe"),
)

SCALP_TYPES: tuple[Label, ...] = (
    Label("good", "양호", "Good"),
    Label("dry", "건성", "Dry"),
    Label("oily", "지성", "Oily"),
    Label("seborrheic", "지루성", "Seborrheic"),
    Label("sensitive", "민감성", "Sensitive"),
    Label("inflamed", "염증성", "Inflamed"),
    Label("dandruff", "비듬성", "Dandruff"),
    Label("hair_loss", "탈모성", "Hair-loss"),
    Label("combined", "복합성", "Combination"),
)

#: The key of a scalp type and the number of a grade by the Korean words that `Human` stores.
TYPE_KEY_BY_WORD: Mapping[str, str] = {label.korean: label.key for label in SCALP_TYPES}
GRADE_BY_WORD: Mapping[str, int] = {label.korean: grade for grade, label in enumerate(GRADES)}

#: Why a grade is withheld: its grader was never shown to rank real photographs, the photo is unlike those that the
#: grader was calibrated on, or the confidence is below the threshold.
Abstention = Literal["unproven", "unfamiliar", "unsure"]
ABSTENTIONS: tuple[Abstention, ...] = get_args(Abstention)

MODEL_KEYS: tuple[str, ...] = (*SYMPTOM_KEYS, GATE.key)


def counted_grade(grade: int, abstention: Abstention | None) -> int:
    """The grade that the type rule uses for a finding: 0 for one that is not supported by evidence.

    A grade that is merely unsure counts: it is the likeliest one.
    """
    return 0 if abstention in ("unproven", "unfamiliar") else grade


def scalp_type(grades: Sequence[int]) -> tuple[str, str]:
    """Scalp type and degree of six grades, as the Korean words that `Human` stores.

    `grades` are six integers 0–3 in the order of `SYMPTOMS`. Returns `(skin, pred)`: the Korean name of a
    scalp type and of the highest grade. The first rule that holds decides. They are the rules of
    the original service (checked against its shares on the 91,156 labels of the AI Hub set). Raises ValueError for
    anything that is not six grades.
    """
    if len(grades) != len(SYMPTOMS) or any(grade not in range(len(GRADES)) for grade in grades):
        raise ValueError(f"expected six grades of 0 to {len(GRADES) - 1}, not {list(grades)!r}")
    scaling, sebum, redness, pustules, dandruff, loss = grades
    degree = max(grades)
    pred = GRADES[degree].korean

    def alone(grade: int, *others: int) -> bool:
        """Whether `grade` is the degree and every other is at most mild and below it."""
        return grade == degree and all(other <= 1 and other < grade for other in others)

    if degree == 0:
        skin = "양호"
    elif alone(scaling, sebum, redness, pustules, dandruff, loss):
        skin = "건성"
    elif alone(sebum, scaling, redness, pustules, dandruff, loss):
        skin = "지성"
    elif alone(redness, sebum, pustules, dandruff, loss) and scaling < redness:
        skin = "민감성"
    elif alone(max(sebum, redness), scaling, pustules, dandruff, loss):
        skin = "지루성"
    elif (
        pustules == degree
        and redness <= 1
        and loss <= 1
        and all(other < pustules for other in (scaling, sebum, redness, dandruff, loss))
    ):
        skin = "염증성"
    elif (
        dandruff == degree
        and redness <= 1
        and pustules <= 1
        and loss <= 1
        and all(other < dandruff for other in (scaling, sebum, redness, pustules, loss))
    ):
        skin = "비듬성"
    elif alone(loss, scaling, sebum, redness, pustules, dandruff):
        skin = "탈모성"
    else:
        skin = "복합성"
    return skin, pred
