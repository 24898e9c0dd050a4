"""The adapted bundle's card: the adaptation, followed by the card of the parent."""

from __future__ import annotations

import shutil

from ml.adaptation.results import Adaptation, AdaptedGrader, answered, mean_grade
from ml.bundle import Bundle
from ml.evaluation.calibration import MAX_ABSTAINED_SHARE, MISLEADING_ACCURACY
from ml.evaluation.card import CARD_FILE, FIGURES_FOLDER, table
from ml.labels import GRADES, SYMPTOM_NAMES


def write_adapted_card(adaptation: Adaptation, parent: Bundle, bundle: Bundle) -> None:
    """Write `model-card.md` into the adapted bundle, with the parent's figures and card, if it has them."""
    old = parent.folder / CARD_FILE
    inherited = ""
    if old.is_file():
        inherited = (
            f"\n\nThe rest is the card of the parent, {parent.reference}. Its figures were measured before the "
            f"adaptation.\n\n---\n\n{old.read_text(encoding='utf-8').strip()}"
        )
    if (parent.folder / FIGURES_FOLDER).is_dir():
        shutil.copytree(parent.folder / FIGURES_FOLDER, bundle.folder / FIGURES_FOLDER, dirs_exist_ok=True)
    text = f"# Model card of bundle {bundle.reference}\n\n{adapted_section(adaptation)}{inherited}\n"
    (bundle.folder / CARD_FILE).write_text(text, encoding="utf-8")


def adapted_section(adaptation: Adaptation) -> str:
    """The section "Adapted" of the card."""
    graders = adaptation.graders
    networks = (
        "The networks are the parent's."
        if adaptation.batch_norm is None
        else f"Batch-norm statistics are blended: the parent's have the weight of {adaptation.batch_norm:g} pictures."
    )
    notes = "".join(f"\n\n{note}" for note in adaptation.notes)
    return (
        f"## Adapted\n\nThis bundle is {adaptation.parent}, adapted to {adaptation.scope} without labels, from "
        f"{adaptation.tally.sentence()}. Each grader keeps its ranking of photographs, but the levels changed: "
        "which score means which grade. With them, the mean probability of each grade over these photographs equals "
        f"its expected share, the one {adaptation.shares_from}. {networks}\n\n"
        "The mean expected grade is between 0 and 3; the shares are those of photographs answered with each grade, "
        f"from {GRADES[0].english.lower()} to {GRADES[-1].english.lower()}.\n\n"
        + table(
            ["Symptom", "Mean grade before", "after", "Shares before", "after", "expected"],
            [_levels(grader) for grader in graders],
        )
        + "\n\n*Reliability* is the assumed correlation of a grader's score with the truth. Findings below "
        f"the threshold are withheld: at most {MAX_ABSTAINED_SHARE:.0%} for these photographs, and only those that are "
        f"expected to be right less than {MISLEADING_ACCURACY:.0%} of the time.\n\n"
        + table(
            ["Symptom", "Reliability", "Slope", "Cutpoints", "Threshold", "Withheld"],
            [_parameters(grader) for grader in graders],
        )
        + f"\n\n{adaptation.gate}{notes}\n\n"
        "### Limits of the adaptation\n\n"
        "- The expected shares may be wrong for this population. If they are too high, all grades are too high.\n"
        "- Without labels, how well each grader ranks these photographs is not measured. A grader that cannot detect a "
        "sign in them still produces the expected shares, but for the wrong people.\n"
        "- These photographs must be a fair sample of future ones. If only the worst cases were photographed, ordinary "
        "ones are graded good.\n"
        "- At best, the levels are right on average, not for each person."
    )


def _levels(grader: AdaptedGrader) -> list[str]:
    return [
        SYMPTOM_NAMES[grader.key],
        f"{mean_grade(grader.before):.2f}",
        f"{mean_grade(grader.after):.2f}",
        _shares(answered(grader.before)),
        _shares(answered(grader.after)),
        _shares(grader.shares.tolist()),
    ]


def _parameters(grader: AdaptedGrader) -> list[str]:
    return [
        SYMPTOM_NAMES[grader.key],
        f"{grader.reliability:.2f}",
        f"{grader.levels.slope:.3f}",
        ", ".join(f"{cutpoint:.2f}" for cutpoint in grader.levels.cutpoints),
        f"{grader.threshold:.2f}",
        f"{grader.withheld:.0%}",
    ]


def _shares(shares: list[float]) -> str:
    return " ".join(f"{share:.2f}" for share in shares)
