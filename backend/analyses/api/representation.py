"""An analysis as JSON. `openapi.py` documents the same structure, and a test compares them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse

from backend.analyses.grades import Grade
from backend.analyses.judgment import Certainty, Judgment, SignJudgment
from backend.analyses.presentation.doctor_tiers import TIERS
from backend.analyses.presentation.report import Report, ReportedSign
from backend.analyses.presentation.words import label_word, type_name
from backend.analyses.reasons import TIPS, reason_text
from backend.analyses.results import Result
from backend.analyses.selectors.status import AnalysisStatus
from backend.analyses.states import Status
from ml.labels import GRADES


def analysis_json(analysis: AnalysisStatus) -> dict[str, Any]:
    """The answers and the photo come with the end only, as most polls are made before it."""
    return {
        "id": str(analysis.id),
        "status": analysis.status.value,
        "position": analysis.position,
        "eta_seconds": analysis.eta_seconds,
        "models_done": analysis.models_done,
        "models_total": analysis.models_total,
        "created_at": analysis.created_at.isoformat(),
        "finished_at": analysis.finished_at and analysis.finished_at.isoformat(),
        "result": analysis.result and _result_json(analysis, analysis.result),
        "rejection": _rejection_json(analysis) if analysis.status == Status.REJECTED else None,
        "failure": _reason_json(analysis) if analysis.status in {Status.FAILED, Status.EXPIRED} else None,
        **(_submission_json(analysis) if analysis.ended else {}),
    }


def _submission_json(analysis: AnalysisStatus) -> dict[str, Any]:
    expires_at = analysis.photo_expires_at
    return {
        "sex": analysis.sex,
        "age": analysis.age,
        "device": analysis.device or None,
        "photo_url": reverse("api:photo", args=[analysis.id]) if analysis.photo_kept else None,
        "photo_expires_at": expires_at and expires_at.isoformat(),
    }


def _reason_json(analysis: AnalysisStatus) -> dict[str, Any] | None:
    return {"code": analysis.code, "detail": str(reason_text(analysis.code))} if analysis.code else None


def _rejection_json(analysis: AnalysisStatus) -> dict[str, Any] | None:
    reason = _reason_json(analysis)
    return reason and {
        **reason,
        "tips": [tip.value for tip in TIPS.get(analysis.code, ())],
        "bundle": analysis.bundle,
        "demo": analysis.demo,
    }


def _result_json(analysis: AnalysisStatus, result: Result) -> dict[str, Any]:
    judgment, report = result.judgment, Report(result)
    reported = {sign.key: sign for sign in report.signs}
    return {
        "pred": result.pred,
        "skin": result.skin,
        **_type_and_degree_json(judgment),
        "open": not judgment.certain,
        "open_signs": list(judgment.deciding_signs),
        "findings": [_finding_json(finding, reported[finding.symptom]) for finding in result.findings],
        "judgment": _judgment_json(judgment),
        "report": _report_json(report),
        "map_urls": _map_urls(analysis.id, result) if analysis.photo_kept else {},
        "quality": result.quality
        and {
            "brightness": round(result.quality.brightness, 4),
            "contrast": round(result.quality.contrast, 4),
            "sharpness": round(result.quality.sharpness, 4),
            "good": report.photo_is_good,
        },
        "bundle": result.bundle,
        "demo": result.demo,
    }


def _type_and_degree_json(judgment: Judgment) -> dict[str, Any]:
    """Unlike `skin` and `pred`, what is uncertain is null here, so that no app shows it."""
    [type_key] = judgment.type.possible if judgment.type.certainty == Certainty.CERTAIN else [None]
    degree = judgment.degree.highest if judgment.degree.certainty == Certainty.CERTAIN else None
    return {
        "uncertain": not judgment.certain,
        "type_key": type_key,
        "type_label": type_key and type_name(type_key),
        "degree": degree,
        "degree_label": None if degree is None else label_word(GRADES[degree]),
    }


def _finding_json(finding: Grade, sign: ReportedSign) -> dict[str, Any]:
    grade = GRADES[finding.grade]
    return {
        "symptom": finding.symptom,
        "name": sign.name,
        "grade": finding.grade,
        "label": grade.korean,
        "label_key": None if finding.abstains else grade.key,
        "grade_label": sign.word,
        "confidence": round(finding.confidence, 4),
        "abstains": finding.abstains,
        "abstention": finding.abstention,
        "probabilities": [round(probability, 4) for probability in finding.probabilities],
    }


def _judgment_json(judgment: Judgment) -> dict[str, Any]:
    type_, degree = judgment.type, judgment.degree
    return {
        "type": {"certainty": type_.certainty.value, "possible": list(type_.possible)},
        "degree": {"certainty": degree.certainty.value, "lowest": degree.lowest, "highest": degree.highest},
        "urgency": judgment.urgency.value,
        "signs": [_sign_judgment_json(sign) for sign in judgment.signs],
    }


def _sign_judgment_json(sign: SignJudgment) -> dict[str, Any]:
    return {
        "symptom": sign.symptom,
        "state": sign.state.value,
        "lowest": sign.lowest,
        "highest": sign.highest,
        "reason": sign.reason,
    }


def _report_json(report: Report) -> dict[str, Any]:
    return {
        "headline": report.plain_sentence,
        "lede": report.lede,
        "action": report.action,
        "signs": [
            {
                "symptom": sign.key,
                "seen": sign.seen,
                "definition": sign.definition,
                "care": sign.care,
                "doctor": sign.doctor,
                "why": sign.why,
            }
            for sign in report.signs
        ],
        "doctor_tiers": [
            {
                "key": tier.key,
                "heading": str(tier.heading),
                "cases": [str(case) for case in tier.cases],
                "phone": tier.phone or None,
            }
            for tier in TIERS
        ],
    }


def _map_urls(analysis_id: UUID, result: Result) -> dict[str, str]:
    """The addresses of the maps by symptom; they are pages' pictures, so there is one address for each."""
    return {
        finding.symptom: reverse("pages:map", args=[analysis_id, finding.symptom])
        for finding in result.findings
        if finding.map
    }
