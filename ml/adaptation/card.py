"""The adapted bundle's card: what was done, and below it the card of the parent."""

from __future__ import annotations

import shutil

from ml.adaptation.results import Adaptation, AdaptedGrader, answered, mean_grade
from ml.bundle import Bundle
from ml.evaluation.calibration import LEAST_ACCURACY, MOST_ABSTAINED
from ml.evaluation.card import CARD_FILE, FIGURES_FOLDER, table
from ml.labels import GRADES, SYMPTOMS

_ENGLISH = {symptom.key: symptom.english for symptom in SYMPTOMS}


def write_adapted_card(adaptation: Adaptation, parent: Bundle, bundle: Bundle) -> None:
    """Write `model-card.md` into the adapted bundle, with the parent's figures and, where it has one, its card."""
    old = parent.folder / CARD_FILE
    inherited = ""
    if old.is_file():
        inherited = (
            f"\n\nEverything below is the card of the parent, {parent.reference}. Its figures were measured before the "
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
        else f"Batch-norm statistics are a blend, in which the parent's count as {adaptation.batch_norm:g} photographs."
    )
    notes = "".join(f"\n\n{note}" for note in adaptation.notes)
    return (
        f"## Adapted\n\nThis bundle is {adaptation.parent}, adapted to {adaptation.scope} without labels, from "
        f"{adaptation.tally.sentence()}. Each grader keeps its ranking of photographs; what changed is the level: "
        "which score means which grade. The levels make the mean probability of each grade, over these photographs, "
        f"the share that was expected: as often as {adaptation.shares_from}. {networks}\n\n"
        "The mean expected grade is between 0 and 3; the shares are of photographs that are answered with each grade, "
        f"from {GRADES[0].english.lower()} to {GRADES[-1].english.lower()}.\n\n"
        + table(
            ["Symptom", "Mean grade before", "after", "Shares before", "after", "expected"],
            [_levels(grader) for grader in graders],
        )
        + "\n\n*Reliability* is the assumed correlation of a grader's score with the truth. A finding is withheld "
        f"below the threshold: at most {MOST_ABSTAINED:.0%} of these photographs' findings, and only such as are "
        f"expected to be right less than {LEAST_ACCURACY:.0%} of the time.\n\n"
        + table(
            ["Symptom", "Reliability", "Slope", "Cutpoints", "Threshold", "Withheld"],
            [_parameters(grader) for grader in graders],
        )
        + f"\n\n{adaptation.gate}{notes}\n\n"
        "### What the adaptation does not know\n\n"
        "- Whether the expected shares are true of this population. If they are too high, everybody is graded too "
        "high.\n"
        "- How well each grader ranks these photographs. No label was used, so nothing here measures it. A grader that "
        "can't see a sign in them still gives the expected shares, to the wrong people.\n"
        "- Whether these photographs are a fair sample of those to come. If only the worst cases were photographed, "
        "the levels call the ordinary ones good.\n"
        "- Single persons: the levels are right on average at best."
    )


def _levels(grader: AdaptedGrader) -> list[str]:
    return [
        _ENGLISH[grader.key],
        f"{mean_grade(grader.before):.2f}",
        f"{mean_grade(grader.after):.2f}",
        _shares(answered(grader.before)),
        _shares(answered(grader.after)),
        _shares(grader.shares.tolist()),
    ]


def _parameters(grader: AdaptedGrader) -> list[str]:
    return [
        _ENGLISH[grader.key],
        f"{grader.reliability:.2f}",
        f"{grader.levels.slope:.3f}",
        ", ".join(f"{cutpoint:.2f}" for cutpoint in grader.levels.cutpoints),
        f"{grader.threshold:.2f}",
        f"{grader.withheld:.0%}",
    ]


def _shares(shares: list[float]) -> str:
    return " ".join(f"{share:.2f}" for share in shares)
