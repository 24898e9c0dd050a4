"""What is suggested after a report, and in which order: the same one whenever somebody looks."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from backend.analyses.errors import NoReportYet
from backend.analyses.results import Result
from backend.analyses.selectors.status import AnalysisStatus
from backend.products.bandit import SUGGESTION_COUNT, Arm, ordered
from backend.products.models import Product
from backend.products.rules import Fit, Seen, fit
from backend.products.selectors.evidence import Tally, tallies
from ml.labels import SCALP_TYPES


@dataclass(frozen=True)
class Suggestion:
    product: Product
    fit: Fit


@dataclass(frozen=True)
class Suggestions:
    """`skin` is the type as its row has it, by which shows and clicks are counted; `seen` is what the rules went by."""

    skin: str
    seen: Seen
    suggested: tuple[Suggestion, ...]


def suggestions(status: AnalysisStatus) -> Suggestions:
    """At most four products that fit a report. Raises NoReportYet, or AnalysisErased if it was erased just now.

    The order goes by what was known before the day of the report, so it is the same each time, whoever else clicks
    meanwhile.
    """
    result = status.result
    if result is None or status.finished_at is None:
        raise NoReportYet
    seen = seen_in(result)
    fits = {
        product.pk: Suggestion(product, fitting)
        for product in Product.objects.filter(active=True)
        if (fitting := fit(product.uses, seen))
    }
    known = tallies(result.skin, timezone.localdate(status.finished_at)) if fits else {}
    arms = []
    for key, one in fits.items():
        tally = known.get(key, Tally(0, 0))
        arms.append(Arm(key, one.fit.score, tally.shows, tally.clicks))
    return Suggestions(result.skin, seen, tuple(fits[arm.key] for arm in ordered(arms, status.id)[:SUGGESTION_COUNT]))


def seen_in(result: Result) -> Seen:
    """A report as the rules take it: without the grades that are withheld, and without a type that is open."""
    grades = {finding.symptom: None if finding.abstains else finding.grade for finding in result.findings}
    key = next(label.key for label in SCALP_TYPES if label.korean == result.skin)
    return Seen(None if result.open else key, grades, demo=result.demo)
