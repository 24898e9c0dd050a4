"""The scalp spectrum: hairs on a scalp line, longer and darker with the grade. Geometry only; CSS colours it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backend.analyses.pages.words import SIGNS, label_word
from ml.labels import GRADES, SYMPTOMS

WIDTH, BOTTOM = 360, 250
#: Where the tip of a hair of each grade lies, in units of the drawing from the top.
GRADE_Y = (186, 136, 86, 36)
#: Half the width of a hair at its root, a grade.
HALF_ROOT = (4.0, 4.4, 5.2, 6.2)
FIRST_X, LAST_X = 34, 280
SCALP_LEFT, SCALP_RIGHT, SCALP_Y, SCALP_RISE = 8, 306, 208, 12
HELD_BACK_Y = 150


@dataclass(frozen=True)
class Hair:
    """One hair: its outline as SVG path data, its CSS class, and its name below the scalp line."""

    path: str
    css: str
    x: float
    label: str
    label_y: int


@dataclass(frozen=True)
class Line:
    """A grade's line across the drawing."""

    y: int
    label: str


@dataclass(frozen=True)
class Spectrum:
    hairs: tuple[Hair, ...]
    lines: tuple[Line, ...]
    description: str
    scalp: str
    view_box: str


def findings_spectrum(grades: Sequence[int | None], description: str) -> Spectrum:
    """Six hairs for six grades in the order of `SYMPTOMS`; None: the grader held its judgement back."""
    return _drawing(
        [
            (str(sign.short), 1 if grade is None else grade, "held-back" if grade is None else f"k{grade}")
            for sign, grade in zip(SIGNS.values(), grades, strict=True)
        ],
        description,
    )


def progress_spectrum(models_done: int | None, description: str) -> Spectrum:
    """Six hairs that grow as their graders finish; the gate looks first, so one model done means no hair yet."""
    done = -1 if models_done is None else models_done - 1
    strands = []
    for number, sign in enumerate(SIGNS.values()):
        css = "grown" if number < done else "growing" if number == done else "waiting"
        strands.append((str(sign.short), 0 if css == "waiting" else 2, css))
    return _drawing(strands, description, with_lines=False)


def scale_spectrum() -> Spectrum:
    """The four grades side by side, which is how to read the other drawings."""
    words = [label_word(grade) for grade in GRADES]
    strands = [(word, grade, f"k{grade}") for grade, word in enumerate(words)]
    return _drawing(strands, " < ".join(words), with_lines=False)


def _drawing(strands: Sequence[tuple[str, int, str]], description: str, *, with_lines: bool = True) -> Spectrum:
    """`strands` are label, grade and CSS class of each hair from left to right."""
    last_x = LAST_X if with_lines else WIDTH - FIRST_X
    right = SCALP_RIGHT if with_lines else WIDTH - SCALP_LEFT
    step = (last_x - FIRST_X) / (len(strands) - 1)
    hairs = []
    for number, (label, grade, css) in enumerate(strands):
        x = FIRST_X + step * number
        u = 2 * (x - SCALP_LEFT) / (right - SCALP_LEFT) - 1
        root_y = SCALP_Y - SCALP_RISE * (1 - u * u)
        # Neighbours bend to different sides, and their names stand on two lines, so that long ones fit.
        sway = (1, -1, 0.6, -0.8, 1, -0.6)[number % 6]
        label_y = SCALP_Y + 22 + (18 * (number % 2) if len(strands) > 4 else 0)
        tip_y = HELD_BACK_Y if css == "held-back" else GRADE_Y[grade]
        path = _outline(x, root_y, tip_y, sway, HALF_ROOT[grade])
        hairs.append(Hair(path, css, round(x, 1), label, label_y))
    lines = [Line(y, label_word(grade)) for y, grade in zip(GRADE_Y, GRADES, strict=True)] if with_lines else []
    middle, control = (SCALP_LEFT + right) / 2, SCALP_Y - 2 * SCALP_RISE
    scalp = f"M{SCALP_LEFT} {SCALP_Y}Q{middle:g} {control} {right} {SCALP_Y}"
    top = 12 if with_lines else min(GRADE_Y[grade] for _label, grade, _css in strands) - 8
    bottom = BOTTOM if len(strands) > 4 else BOTTOM - 18
    view_box = f"0 {top} {WIDTH} {bottom - top}"
    return Spectrum(tuple(hairs), tuple(lines), description, scalp, view_box)


def _outline(x: float, root_y: float, tip_y: float, sway: float, half: float) -> str:
    """A tapering hair that leaves the skin upright and bends in an S; all curves are cubic Béziers."""
    length = root_y - tip_y
    bend = sway * min(length, 120) * 0.12
    tip_x, tip_half = x + bend, half * 0.32

    def edge(side: int) -> tuple[str, str, str, str]:
        root, tip = (x + side * half, root_y), (tip_x + side * tip_half, tip_y)
        low = (x + side * half - bend, root_y - length * 0.35)
        high = (tip_x + side * tip_half + bend, tip_y + length * 0.35)
        a, b, c, d = (f"{px:.1f} {py:.1f}" for px, py in (root, low, high, tip))
        return a, b, c, d

    left, right = edge(-1), edge(1)
    return (
        f"M{left[0]}C{left[1]} {left[2]} {left[3]}"
        f"A{tip_half:.1f} {tip_half:.1f} 0 0 1 {right[3]}C{right[2]} {right[1]} {right[0]}Z"
    )


def described(grades: Sequence[int | None], held_back: str) -> str:
    """What a reader who can't see the drawing is told: every sign and its grade."""
    return ", ".join(
        f"{label_word(symptom)} {held_back if grade is None else f'{grade} {label_word(GRADES[grade])}'}"
        for symptom, grade in zip(SYMPTOMS, grades, strict=True)
    )
