"""The expected share of each grade of each symptom among the photographs."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ml.data.synthetic.grades import GRADE_SHARES
from ml.errors import AdaptationInvalid
from ml.labels import GRADES, SYMPTOM_KEYS

#: The smallest share of a grade, because no file can rule a grade out for a whole population.
MIN_SHARE = 0.001

#: Four rounded shares may differ from a sum of 1 by this much.
_SUM_TOLERANCE = 0.02

_EXPECTED_FORMAT = 'lines like dandruff,0.60,0.24,0.13,0.03 as CSV, or {"dandruff": [0.60, 0.24, 0.13, 0.03]} as JSON'


def aihub_shares() -> dict[str, np.ndarray]:
    """The shares `[4]` of each symptom's grades among the labels of AI Hub's set (`ml.data.synthetic.grades`)."""
    return {key: smooth_shares(row) for key, row in zip(SYMPTOM_KEYS, GRADE_SHARES, strict=True)}


def read_shares(path: Path) -> dict[str, np.ndarray]:
    """The shares `[4]` by symptom of a CSV or JSON file; symptoms may be missing. Raises AdaptationInvalid."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AdaptationInvalid(f"{path} cannot be read as text: {error}.") from error
    rows = _json(path, text) if path.suffix.lower() == ".json" else _csv(text)
    if not rows:
        raise AdaptationInvalid(f"{path} has no shares. Write {_EXPECTED_FORMAT}.")
    return {key: _check(path, key, row) for key, row in rows.items()}


def smooth_shares(shares: np.ndarray) -> np.ndarray:
    """The shares, raised to at least `MIN_SHARE` and normalized to a sum of 1."""
    raised = np.maximum(shares, MIN_SHARE)
    normal: np.ndarray = raised / raised.sum()
    return normal


def _json(path: Path, text: str) -> Mapping[str, object]:
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        raise AdaptationInvalid(f"{path} is not JSON: {error}.") from error
    if not isinstance(rows, dict):
        raise AdaptationInvalid(f"{path} has no shares by symptom. Write {_EXPECTED_FORMAT}.")
    return rows


def _csv(text: str) -> dict[str, object]:
    """Rows of a symptom's key and four numbers; a header is skipped."""
    lines = [[cell.strip() for cell in line] for line in csv.reader(text.splitlines()) if any(line)]
    if lines and lines[0][0] not in SYMPTOM_KEYS and not any(_is_number(cell) for cell in lines[0]):
        lines = lines[1:]
    return {line[0]: [float(cell) if _is_number(cell) else cell for cell in line[1:]] for line in lines}


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _check(path: Path, key: str, row: object) -> np.ndarray:
    if key not in SYMPTOM_KEYS:
        raise AdaptationInvalid(f"{path}: {key!r} is not a symptom. Symptoms are {', '.join(SYMPTOM_KEYS)}.")
    numbers = row if isinstance(row, list) and all(type(value) in (int, float) for value in row) else []
    shares = np.array(numbers, dtype=np.float64)
    if (
        len(shares) != len(GRADES)
        or not np.isfinite(shares).all()
        or shares.min() < 0
        or abs(shares.sum() - 1) > _SUM_TOLERANCE
    ):
        raise AdaptationInvalid(
            f"{path}: {key} needs the shares of {', '.join(grade.key for grade in GRADES)}, four numbers from 0 to 1 "
            f"that sum to 1, not {row}."
        )
    return smooth_shares(shares)
