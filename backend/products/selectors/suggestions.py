"""Suggestions for a report, always in the same order for the same report."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from backend.analyses.errors import NoReportYet
from backend.analyses.results import Result
from backend.analyses.selectors.status import AnalysisStatus
from backend.products.bandit import SUGGESTION_COUNT, Arm, rank_arms
from backend.products.models import Product
from backend.products.rules import Fit, ReportFacts, fit
from backend.products.selectors.evidence import Evidence, evidence_before


@dataclass(frozen=True)
class Suggestion:
    product: Product
    fit: Fit


@dataclass(frozen=True)
class Suggestions:
    """`skin` is the type in the row, by which impressions and clicks are counted; `facts` is what the rules used."""

    skin: str
    facts: ReportFacts
    suggested: tuple[Suggestion, ...]


def suggestions(status: AnalysisStatus) -> Suggestions:
    """Up to four products that fit a report. Raises NoReportYet, or AnalysisErased if it was erased just now.

    The order depends on the evidence before the day of the report, so later clicks don't change it.
    """
    result = status.result
    if result is None or status.finished_at is None:
        raise NoReportYet
    facts = report_facts(result)
    fits = {
        product.pk: Suggestion(product, fitting)
        for product in Product.objects.filter(active=True)
        if (fitting := fit(product.uses, facts))
    }
    known = evidence_before(result.skin, timezone.localdate(status.finished_at)) if fits else {}
    arms = []
    for key, one in fits.items():
        tally = known.get(key, Evidence(0, 0))
        arms.append(Arm(key, one.fit.score, tally.shows, tally.clicks))
    return Suggestions(
        result.skin, facts, tuple(fits[arm.key] for arm in rank_arms(arms, status.id)[:SUGGESTION_COUNT])
    )


def report_facts(result: Result) -> ReportFacts:
    """What the judgment of a report says, as the rules take it."""
    judgment = result.judgment
    skin = judgment.type.possible[0] if judgment.certain else None
    return ReportFacts(skin, {sign.symptom: sign for sign in judgment.signs}, judgment.urgent_signs)
