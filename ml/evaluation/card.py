"""The model card of a run or a bundle: what it is, its use, and its performance, as Markdown.

After Mitchell et al., Model Cards for Model Reporting, arXiv 1810.03993.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from ml.evaluation.bootstrap import Estimate
from ml.evaluation.calibration import MAX_ABSTAINED_SHARE, MISLEADING_ACCURACY
from ml.evaluation.plots import write_figures
from ml.evaluation.results import Evaluation, Subgroup
from ml.labels import GRADES, SYMPTOM_NAMES

CARD_FILE = "model-card.md"
FIGURES_FOLDER = "figures"

_SEXES = {"남": "male", "여": "female"}
_MAX_GROUPS = 12
_CALIBRATION_COLUMNS = (
    "Symptom",
    "Temperature",
    "ECE",
    "Threshold",
    "Coverage",
    "Accuracy above",
    "Accuracy below",
    "AURC",
)

_SYNTHETIC = (
    "**All figures here were measured on synthetic pictures. They show no real person, and the figures say nothing "
    "about real scalps.**"
)


def write_card(evaluation: Evaluation, folder: Path) -> None:
    """Write `model-card.md` and the `figures` that it shows into `folder`, which is created if it does not exist."""
    figures = write_figures(evaluation, folder / FIGURES_FOLDER)
    links = {name: f"{FIGURES_FOLDER}/{path.name}" for name, path in figures.items()}
    (folder / CARD_FILE).write_text(model_card(evaluation, links), encoding="utf-8")


def model_card(evaluation: Evaluation, figures: Mapping[str, str]) -> str:
    """The card of an evaluated subject.

    `figures` are links by the names of plots in `ml.evaluation.plots`.
    """
    sections = [
        f"# Model card of {evaluation.subject}",
        *([_SYNTHETIC] if evaluation.sample.synthetic else []),
        _what(evaluation.facts),
        _use(),
        _data(evaluation),
        _symptoms(evaluation),
        _calibration(evaluation),
        _type_rule(evaluation),
        _subgroups(evaluation),
        _limits(evaluation),
        "## Plots\n\n" + "\n\n".join(f"![{name}]({link})" for name, link in figures.items()),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _what(facts: Mapping[str, str]) -> str:
    lines = "\n".join(f"- {name}: {value}" for name, value in facts.items())
    return (
        "## What it is\n\nGraders for photos of the scalp taken with a scalp scope. Each grades one of six symptoms as "
        f"{', '.join(grade.english.lower() for grade in GRADES)}.\n\n{lines}"
    )


def _use() -> str:
    return (
        "## Use\n\nIt informs people about what is visible on one photo of their scalp, and how certain that is.\n\n"
        "It does not diagnose. It is not a medical device and does not replace a doctor. Do not use it to choose a "
        "treatment, to rule out an illness, to select or judge people, or on photos of anything but close-ups of a "
        "scalp, as taken with a scope."
    )


def _data(evaluation: Evaluation) -> str:
    sample = evaluation.sample
    if sample.seen:
        how = "**The training used these same pictures: all figures here are too good.**"
    elif sample.part is None:
        how = (
            "All pictures of the data set were evaluated as one part. The same persons may have been in the training "
            "data."
        )
    else:
        how = f"They are the part *{sample.part}* of the split `{sample.split}`, in which no person is in two parts."
    kind = "synthetic pictures of fictional persons" if sample.synthetic else "pictures of persons"
    partly = (
        "Not every picture is labeled for every symptom: each figure is over the labeled pictures. "
        if evaluation.partly_labeled
        else ""
    )
    return (
        f"## Data\n\nEvaluated on {evaluation.pictures} {kind} ({evaluation.persons} persons) of the data set "
        f"`{sample.data}` (digest `{sample.digest[:16]}`). {how} {partly}".rstrip()
        + "\n\n"
        + table(
            ["Labels", *(grade.english for grade in GRADES)],
            [[SYMPTOM_NAMES[symptom.key], *map(str, symptom.grades)] for symptom in evaluation.symptoms]
            + [[SYMPTOM_NAMES[key], "not labeled", *[""] * (len(GRADES) - 1)] for key in evaluation.not_labeled],
        )
    )


def _symptoms(evaluation: Evaluation) -> str:
    mean = evaluation.mean
    rows = [
        [
            SYMPTOM_NAMES[symptom.key],
            _interval(symptom.accuracy),
            _number(symptom.majority),
            _interval(symptom.macro_f1),
            _interval(symptom.qwk),
            _interval(symptom.within_one),
        ]
        for symptom in evaluation.symptoms
    ]
    rows.append(
        ["**Mean**", _interval(mean.accuracy), _number(mean.majority)]
        + [_interval(estimate) for estimate in (mean.macro_f1, mean.qwk, mean.within_one)]
    )
    recalls = [
        [SYMPTOM_NAMES[symptom.key], *(_number(recall) for recall in symptom.recalls)]
        for symptom in evaluation.symptoms
    ]
    return (
        "## Figures\n\nBrackets contain 95 % bootstrap intervals over persons. *Majority* is the accuracy of always "
        "answering the most frequent grade, *QWK* the quadratic weighted kappa, *within one* the share of answers at "
        "most one grade off.\n\n"
        + table(["Symptom", "Accuracy", "Majority", "Macro-F1", "QWK", "Within one"], rows)
        + "\n\nRecall is the share of correct answers among the pictures of each grade.\n\n"
        + table(["Recall", *(grade.english for grade in GRADES)], recalls)
    )


def _calibration(evaluation: Evaluation) -> str:
    if evaluation.calibrated_on is None:
        origin = "Temperatures and thresholds are those of the model; the defaults are 1 and 0."
    else:
        origin = (
            f"Temperatures and thresholds were fitted on {evaluation.calibrated_on}: the temperature minimizes the "
            "negative log-likelihood; the threshold is the highest with at most "
            f"{MAX_ABSTAINED_SHARE:.0%} of the findings below it, of which less than {MISLEADING_ACCURACY:.0%} are "
            "right."
        )
    rows = [
        [
            SYMPTOM_NAMES[symptom.key],
            _number(symptom.temperature),
            f"{symptom.ece_before:.3f} → {symptom.ece:.3f}",
            _number(symptom.abstention.threshold),
            f"{symptom.abstention.coverage:.1%}",
            _number(symptom.abstention.accuracy),
            _number(symptom.abstention.abstained_accuracy),
            f"{symptom.aurc:.3f}",
        ]
        for symptom in evaluation.symptoms
    ]
    mean = evaluation.mean
    rows.append(
        [
            "**Mean**",
            "",
            f"{mean.ece_before:.3f} → {mean.ece:.3f}",
            "",
            f"{mean.coverage:.1%}",
            _number(mean.accuracy_of_standing),
            "",
            f"{mean.aurc:.3f}",
        ]
    )
    return (
        "## Calibration\n\n"
        f"{origin} *ECE* is the expected calibration error in 15 bins, without and with the temperature. Findings "
        "below the threshold are withheld; *coverage* is the share above it. *AURC* is the area under the "
        "risk-coverage curve.\n\n" + table(_CALIBRATION_COLUMNS, rows)
    )


def _type_rule(evaluation: Evaluation) -> str:
    rule = evaluation.type_rule
    if rule is None:
        return ""
    return (
        "## Scalp type\n\nThe type rule applied to the answers, compared with the rule applied to the labels"
        + (
            f" of the {rule.pictures} pictures that are labeled for all six symptoms"
            if evaluation.partly_labeled
            else ""
        )
        + ".\n\n"
        + table(
            ["", "Accuracy", "Majority", "QWK"],
            [
                ["Type (`skin`)", _interval(rule.skin), _number(rule.skin_majority), "–"],
                ["Degree (`pred`)", _interval(rule.pred), _number(rule.pred_majority), _interval(rule.pred_qwk)],
            ],
        )
    )


def _subgroups(evaluation: Evaluation) -> str:
    if not evaluation.subgroups:
        return ""
    tables = [
        table(
            [kind.capitalize(), "Pictures", "Persons", "Accuracy", "QWK"],
            [_group(group) for group in _select_subgroups(groups)],
        )
        for kind, groups in evaluation.subgroups.items()
    ]
    return (
        "## Groups\n\nMeans over the symptoms, if sex, age or device is known; only the twelve most frequent devices. "
        "Figures of small groups vary by chance.\n\n" + "\n\n".join(tables)
    )


def _select_subgroups(groups: Sequence[Subgroup]) -> Sequence[Subgroup]:
    """The groups in their order; if there are many, those with the most pictures."""
    largest = sorted(groups, key=lambda group: -group.pictures)[:_MAX_GROUPS]
    return [group for group in groups if group in largest]


def _group(group: Subgroup) -> list[str]:
    means = (group.mean_accuracy, group.mean_qwk)
    return [_group_name(group.name), str(group.pictures), str(group.persons), *map(_number, means)]


def _group_name(name: str) -> str:
    """English for the data set's words: 남 is male, 40대 the forties."""
    return _SEXES.get(name) or name.replace("대 이상", " and over").replace("대", "s")


def _limits(evaluation: Evaluation) -> str:
    limits = [
        "A label is one grade, but many pictures are between two.",
        "Accuracy depends on how frequent each grade is, and that differs elsewhere.",
        "Devices, light, hair and skin colors that are not in the data can lower its accuracy, but not its confidence.",
        "All pictures show a scalp. The gate was not evaluated here.",
    ]
    if evaluation.persons < 30:
        limits.append(f"The pictures are of only {evaluation.persons} persons: the intervals are rough.")
    if evaluation.sample.synthetic:
        limits.append(
            "The pictures are synthetic. Its performance on photographs of real scalps is unknown, and these figures "
            "are not an estimate of it."
        )
    if evaluation.type_rule is None and evaluation.partly_labeled:
        limits.append("No picture is labeled for all six symptoms, so the scalp type was not evaluated.")
    elif evaluation.type_rule is None:
        limits.append("Not all six symptoms are graded, so there is no scalp type.")
    return "## Limits\n\n" + "\n".join(f"- {limit}" for limit in limits)


def _interval(estimate: Estimate) -> str:
    if math.isnan(estimate.low):
        return _number(estimate.value)
    return f"{_number(estimate.value)} [{_number(estimate.low)}, {_number(estimate.high)}]"


def _number(value: float) -> str:
    """Two digits, or a dash if undefined."""
    return "–" if math.isnan(value) else f"{value:.2f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, with the first column left-aligned and the others right-aligned."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
