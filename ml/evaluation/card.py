"""The model card: what a run or a bundle is, what it is for, and how well it does, as Markdown.

After Mitchell et al., Model Cards for Model Reporting, arXiv 1810.03993.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from ml.evaluation.bootstrap import Estimate
from ml.evaluation.calibration import LEAST_ACCURACY, MOST_ABSTAINED
from ml.evaluation.plots import write_figures
from ml.evaluation.results import Evaluation, Subgroup
from ml.labels import GRADES, SYMPTOMS

CARD_FILE = "model-card.md"
FIGURES_FOLDER = "figures"

_ENGLISH = {symptom.key: symptom.english for symptom in SYMPTOMS}
_SEXES = {"남": "male", "여": "female"}
_GROUPS_SHOWN = 12
_SURENESS = (
    "Symptom",
    "Temperature",
    "ECE",
    "Threshold",
    "Coverage",
    "Accuracy of what stands",
    "of what abstains",
    "AURC",
)

_SYNTHETIC = (
    "**Every figure here was made on synthetic pictures, drawn from seeds. They show nobody, and the figures say "
    "nothing about real scalps.**"
)


def write_card(evaluation: Evaluation, folder: Path) -> None:
    """Write `model-card.md` and the `figures` that it shows into `folder`, which is made where it is missing."""
    figures = write_figures(evaluation, folder / FIGURES_FOLDER)
    links = {name: f"{FIGURES_FOLDER}/{path.name}" for name, path in figures.items()}
    (folder / CARD_FILE).write_text(model_card(evaluation, links), encoding="utf-8")


def model_card(evaluation: Evaluation, figures: Mapping[str, str]) -> str:
    """The card of an evaluated subject.

    `figures` are links by what they show, as `ml.evaluation.plots` names it.
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
        "## Use\n\nIt informs people about what can be seen on one photo of their scalp, and says how sure it is.\n\n"
        "It does not diagnose. It is no medical device and takes no doctor's place: not for choosing a treatment, not "
        "for ruling an illness out, not for selecting or judging people, and not for photos of anything but a scalp "
        "seen from close by, as a scope shows it."
    )


def _data(evaluation: Evaluation) -> str:
    sample = evaluation.sample
    if sample.seen:
        how = "**Training has seen these very pictures: every figure here is too good.**"
    elif sample.part is None:
        how = (
            "All pictures of the data set were evaluated as one part. Nothing here shows that the training had not "
            "seen persons of them."
        )
    else:
        how = f"They are the part *{sample.part}* of the split `{sample.split}`, which puts no person into two parts."
    kind = "synthetic pictures of persons that do not exist" if sample.synthetic else "pictures of persons"
    partly = (
        "Not every picture is labelled for every symptom: each figure is over the pictures that are. "
        if evaluation.partly_labelled
        else ""
    )
    return (
        f"## Data\n\nEvaluated on {evaluation.pictures} {kind} ({evaluation.persons} persons) of the data set "
        f"`{sample.data}` (digest `{sample.digest[:16]}`). {how} {partly}".rstrip()
        + "\n\n"
        + table(
            ["Labels", *(grade.english for grade in GRADES)],
            [[_ENGLISH[symptom.key], *map(str, symptom.grades)] for symptom in evaluation.symptoms]
            + [[_ENGLISH[key], "not labelled", *[""] * (len(GRADES) - 1)] for key in evaluation.not_labelled],
        )
    )


def _symptoms(evaluation: Evaluation) -> str:
    mean = evaluation.mean
    rows = [
        [
            _ENGLISH[symptom.key],
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
        [_ENGLISH[symptom.key], *(_number(recall) for recall in symptom.recalls)] for symptom in evaluation.symptoms
    ]
    return (
        "## Figures\n\nIn brackets 95 % bootstrap intervals over persons. *Majority* is the accuracy of always "
        "answering the most frequent grade, *QWK* the quadratic weighted kappa, *within one* the share of answers at "
        "most one grade off.\n\n"
        + table(["Symptom", "Accuracy", "Majority", "Macro-F1", "QWK", "Within one"], rows)
        + "\n\nRecall: the share of right answers among the pictures of each grade.\n\n"
        + table(["Recall", *(grade.english for grade in GRADES)], recalls)
    )


def _calibration(evaluation: Evaluation) -> str:
    if evaluation.calibrated_on is None:
        origin = "Temperatures and thresholds are those that it came with; one without has 1 and 0."
    else:
        origin = (
            f"Temperatures and thresholds were fitted on {evaluation.calibrated_on}: the temperature for the least "
            f"negative log-likelihood, the threshold as the greatest below which at most {MOST_ABSTAINED:.0%} of the "
            f"findings fall that are right less than {LEAST_ACCURACY:.0%} of the time."
        )
    rows = [
        [
            _ENGLISH[symptom.key],
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
        "## How sure it may sound\n\n"
        f"{origin} *ECE* is the expected calibration error in 15 bins without and with the temperature. Below the "
        "threshold a finding abstains; *coverage* is the share that stands. *AURC* is the area under risk over "
        "coverage.\n\n" + table(_SURENESS, rows)
    )


def _type_rule(evaluation: Evaluation) -> str:
    rule = evaluation.type_rule
    if rule is None:
        return ""
    return (
        "## Scalp type\n\nThe type rule applied to the answers, against the rule applied to the labels"
        + (
            f" of the {rule.pictures} pictures that are labelled for all six symptoms"
            if evaluation.partly_labelled
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
            [kind.capitalize(), "Pictures", "Persons", "Accuracy", "QWK"], [_group(group) for group in _shown(groups)]
        )
        for kind, groups in evaluation.subgroups.items()
    ]
    return (
        "## Groups\n\nMeans over the symptoms, where sex, age or device is known; of the devices the twelve most "
        "frequent. Small groups scatter.\n\n" + "\n\n".join(tables)
    )


def _shown(groups: Sequence[Subgroup]) -> Sequence[Subgroup]:
    """The groups in their order; of many devices the ones with the most pictures."""
    largest = sorted(groups, key=lambda group: -group.pictures)[:_GROUPS_SHOWN]
    return [group for group in groups if group in largest]


def _group(group: Subgroup) -> list[str]:
    means = (group.mean_accuracy, group.mean_qwk)
    return [_group_name(group.name), str(group.pictures), str(group.persons), *map(_number, means)]


def _group_name(name: str) -> str:
    """English for the data set's words: 남 is male, 40대 the forties."""
    return _SEXES.get(name) or name.replace("대 이상", " and over").replace("대", "s")


def _limits(evaluation: Evaluation) -> str:
    limits = [
        "A label is one grade, where many pictures lie between two.",
        "Accuracy depends on how frequent each grade is, and elsewhere they are not as frequent as in this data.",
        "Other devices, light, hair and skin colours than in the data can make it worse without making it less sure.",
        "The figures are of pictures that show a scalp. What the gate refuses was not evaluated here.",
    ]
    if evaluation.persons < 30:
        limits.append(f"Only {evaluation.persons} persons were evaluated: the intervals are rough.")
    if evaluation.sample.synthetic:
        limits.append(
            "The pictures are synthetic. How it does on photographs of real scalps is unknown, and these figures are "
            "no estimate of it."
        )
    if evaluation.type_rule is None and evaluation.partly_labelled:
        limits.append("No picture is labelled for all six symptoms, so the scalp type was not evaluated.")
    elif evaluation.type_rule is None:
        limits.append("Not all six symptoms were answered, so no scalp type follows.")
    return "## Limits\n\n" + "\n".join(f"- {limit}" for limit in limits)


def _interval(estimate: Estimate) -> str:
    if math.isnan(estimate.low):
        return _number(estimate.value)
    return f"{_number(estimate.value)} [{_number(estimate.low)}, {_number(estimate.high)}]"


def _number(value: float) -> str:
    """Two digits, a dash for what is undefined."""
    return "–" if math.isnan(value) else f"{value:.2f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, its first column to the left and the others to the right."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
