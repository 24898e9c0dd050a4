"""The scalp spectrum: six hairs on a scalp line, longer and stronger with the grade. Geometry only; CSS colors it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backend.analyses.judgment import SignJudgment
from backend.analyses.presentation.signs import SIGNS
from backend.analyses.presentation.words import grade_mark, grade_word, label_word
from ml.labels import SYMPTOMS

HEIGHT = 240
#: The names below stand in six equal columns, so the hairs stand in the middle of these. Numbers of grades, where there
#: are any, take the rest of the width; `spectrum.css` has the same two widths.
WIDTH, COLUMNS_WIDTH = 360, 340
#: The height of a hair's tip for each grade, in units of the drawing from the top.
GRADE_Y = (180, 129, 78, 27)
#: Half the width of a hair at its root, per grade.
HALF_ROOT = (2.6, 3.0, 3.6, 4.4)
#: How far each hair leans, as a share of its length: neighbors differ, as hairs do.
LEAN = (0.11, -0.06, 0.14, 0.05, -0.1, 0.08)
SCALP_Y, SCALP_RISE = 206, 13


@dataclass(frozen=True)
class Hair:
    """One hair: outlines of its shaft, root and follicle as SVG path data, its CSS class, what stands below it.

    `key` is the symptom. Where a sign is not rated, only the empty follicle is drawn: any length would read as a grade.
    """

    key: str
    shaft: str
    root: str
    follicle: str
    css: str
    name: str
    mark: str


@dataclass(frozen=True)
class GradeLine:
    """A grade's line across the drawing."""

    y: int
    number: int


@dataclass(frozen=True)
class Spectrum:
    hairs: tuple[Hair, ...]
    lines: tuple[GradeLine, ...]
    description: str
    scalp: str
    right: int
    view_box: str = f"0 8 {WIDTH} {HEIGHT - 8}"


def findings_spectrum(signs: Sequence[SignJudgment], description: str) -> Spectrum:
    """Six hairs for six signs in the order of `SYMPTOMS`; between two grades, the tip is between their heights."""
    strands: list[tuple[float | None, str, str]] = []
    for sign in signs:
        if sign.lowest is None or sign.highest is None:
            strands.append((None, "unrated", "?"))
        else:
            css = f"k{sign.highest}" if sign.lowest == sign.highest else f"k{sign.highest} between"
            strands.append(((sign.lowest + sign.highest) / 2, css, grade_mark(sign)))
    return _draw_spectrum(strands, description, COLUMNS_WIDTH)


def progress_spectrum(models_done: int | None, description: str) -> Spectrum:
    """Six hairs that grow as their graders finish; the gate looks first, so one model done means no hair yet."""
    done = -1 if models_done is None else models_done - 1
    strands: list[tuple[float | None, str, str]] = []
    for number in range(len(SYMPTOMS)):
        css = "grown" if number < done else "growing" if number == done else "waiting"
        strands.append((0 if css == "waiting" else 2, css, ""))
    return _draw_spectrum(strands, description, WIDTH)


def describe_signs(signs: Sequence[SignJudgment]) -> str:
    """What a reader who can't see the drawing is told: every sign and its grade."""
    return ", ".join(
        f"{label_word(symptom)} {grade_word(sign) if sign.lowest is None else f'{grade_mark(sign)} {grade_word(sign)}'}"
        for symptom, sign in zip(SYMPTOMS, signs, strict=True)
    )


def _draw_spectrum(strands: Sequence[tuple[float | None, str, str]], description: str, width: int) -> Spectrum:
    """`strands` are grade, CSS class and mark of each hair from left to right; `width` is what they share."""
    column = width / len(strands)
    hairs = []
    for place, ((grade, css, mark), (key, sign)) in enumerate(zip(strands, SIGNS.items(), strict=True)):
        x = column * (place + 0.5)
        u = 2 * x / width - 1
        skin_y = SCALP_Y - SCALP_RISE * (1 - u * u)
        half = HALF_ROOT[0] if grade is None else _between(HALF_ROOT, grade)
        shaft = "" if grade is None else _shaft(x, skin_y + 12, _between(GRADE_Y, grade), LEAN[place], half)
        root = "" if grade is None else _root(x, skin_y + 13, half)
        hairs.append(Hair(key, shaft, root, _follicle(x, skin_y), css, str(sign.short), mark))
    lines = tuple(GradeLine(y, grade) for grade, y in enumerate(GRADE_Y)) if width < WIDTH else ()
    scalp = f"M2 {SCALP_Y}Q{width / 2:g} {SCALP_Y - 2 * SCALP_RISE} {width - 2} {SCALP_Y}"
    return Spectrum(tuple(hairs), lines, description, scalp, width)


def _between(values: Sequence[float], grade: float) -> float:
    """The value at a grade, halfway between two at half a grade."""
    return (values[int(grade)] + values[int(grade + 0.5)]) / 2


def _shaft(x: float, root_y: float, tip_y: float, lean: float, half: float) -> str:
    """A tapering hair that leaves the skin upright and bends to one side; both edges are cubic Béziers."""
    length = root_y - tip_y
    bend = lean * length

    def edge(side: int) -> tuple[str, str, str, str]:
        points = (
            (x + side * half, root_y),
            (x + side * half - bend * 0.35, root_y - length * 0.4),
            (x + side * half * 0.75 + bend * 0.1, root_y - length * 0.75),
            (x + side * half * 0.3 + bend, tip_y),
        )
        a, b, c, d = (f"{px:.1f} {py:.1f}" for px, py in points)
        return a, b, c, d

    left, right = edge(-1), edge(1)
    tip = f"A{half * 0.3:.1f} {half * 0.3:.1f} 0 0 1 {right[3]}"
    return f"M{left[0]}C{left[1]} {left[2]} {left[3]}{tip}C{right[2]} {right[1]} {right[0]}Z"


def _root(x: float, y: float, half: float) -> str:
    """The bulb in which the hair begins: an ellipse around (x, y)."""
    rx, ry = half + 1.4, half + 3
    return f"M{x:.1f} {y - ry:.1f}a{rx:.1f} {ry:.1f} 0 1 1 0 {2 * ry:.1f}a{rx:.1f} {ry:.1f} 0 1 1 0 {-2 * ry:.1f}Z"


def _follicle(x: float, skin_y: float) -> str:
    """The pocket in the skin around the root, open at the top."""
    return f"M{x - 7:.1f} {skin_y + 1:.1f}c2 5-3 20 7 20s5-15 7-20"
