"""The rule from six grades to a scalp type, against a second statement of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from itertools import product

import pytest

from ml.labels import GRADES, MODEL_KEYS, SCALP_TYPES, SYMPTOMS, scalp_type

# Each line is a type and what it asks of the six grades, in the order of the symptoms. The first that fits wins.
RULES = """
    건성    = . . . . .
    지성    . = . . . .
    민감성  < . = . . .
    지루성  . = * . . .
    지루성  . * = . . .
    염증성  < < . = < .
    비듬성  < < . . = .
    탈모성  . . . . . =
    복합성  * * * * * *
"""

ASKS: dict[str, Callable[[int, int], bool]] = {
    "=": lambda grade, highest: grade == highest,
    "<": lambda grade, highest: grade < highest,
    ".": lambda grade, highest: grade < min(2, highest),
    "*": lambda grade, highest: True,
}


def type_by_table(grades: tuple[int, ...]) -> str:
    if not any(grades):
        return "양호"
    for line in RULES.strip().splitlines():
        name, *signs = line.split()
        if all(ASKS[sign](grade, max(grades)) for sign, grade in zip(signs, grades, strict=True)):
            return name
    raise AssertionError("the last rule takes everything")


def test_every_combination_of_grades_gets_the_type_of_the_table() -> None:
    seen = set()
    for grades in product(range(4), repeat=6):
        skin, pred = scalp_type(grades)
        assert skin == type_by_table(grades), grades
        assert pred == ("양호", "경증", "중등도", "중증")[max(grades)], grades
        seen.add(skin)
    assert seen == {label.korean for label in SCALP_TYPES}


@pytest.mark.parametrize(
    ("grades", "skin", "pred"),
    [
        ((0, 0, 0, 0, 0, 0), "양호", "양호"),
        ((2, 1, 0, 1, 1, 0), "건성", "중등도"),
        ((1, 0, 0, 0, 0, 0), "건성", "경증"),
        ((1, 1, 0, 0, 0, 0), "복합성", "경증"),
        ((0, 3, 1, 0, 0, 1), "지성", "중증"),
        ((2, 0, 3, 0, 0, 0), "민감성", "중증"),
        ((0, 1, 1, 0, 0, 0), "지루성", "경증"),
        ((1, 3, 2, 0, 0, 0), "지루성", "중증"),
        ((2, 2, 3, 0, 0, 0), "복합성", "중증"),
        ((2, 2, 1, 3, 2, 1), "염증성", "중증"),
        ((0, 0, 0, 1, 0, 0), "염증성", "경증"),
        ((2, 2, 1, 1, 3, 1), "비듬성", "중증"),
        ((0, 0, 0, 2, 3, 0), "복합성", "중증"),
        ((1, 1, 1, 1, 1, 2), "탈모성", "중등도"),
        ((0, 0, 0, 0, 2, 2), "복합성", "중등도"),
        ((3, 3, 3, 3, 3, 3), "복합성", "중증"),
    ],
)
def test_known_rows_get_their_type(grades: tuple[int, ...], skin: str, pred: str) -> None:
    assert scalp_type(grades) == (skin, pred)


@pytest.mark.parametrize("grades", [(0,) * 5, (0,) * 7, (0, 0, 0, 0, 0, 4), (-1, 0, 0, 0, 0, 0)])
def test_what_is_not_six_grades_is_refused(grades: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="six grades"):
        scalp_type(grades)


def test_the_words_are_seven_models_four_grades_and_nine_types() -> None:
    assert (*(symptom.key for symptom in SYMPTOMS), "scalp_gate") == MODEL_KEYS
    assert (len(set(MODEL_KEYS)), len(GRADES), len({label.korean for label in SCALP_TYPES})) == (7, 4, 9)


def test_the_vocabulary_does_not_pull_in_torch() -> None:
    code = "import sys, ml.labels; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
