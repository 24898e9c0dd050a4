"""An analysis as JSON. `openapi.py` documents the same structure, and a test compares them."""

from __future__ import annotations

from typing import Any

from backend.analyses.reasons import reason_text
from backend.analyses.results import Result
from backend.analyses.selectors.status import AnalysisStatus
from backend.analyses.states import Status
from ml.labels import GRADES


def analysis_json(analysis: AnalysisStatus) -> dict[str, Any]:
    reason = {"code": analysis.code, "detail": str(reason_text(analysis.code))} if analysis.code else None
    judged_by = {"bundle": analysis.bundle, "demo": analysis.demo}
    return {
        "id": str(analysis.id),
        "status": analysis.status.value,
        "position": analysis.position,
        "eta_seconds": analysis.eta_seconds,
        "models_done": analysis.models_done,
        "models_total": analysis.models_total,
        "created_at": analysis.created_at.isoformat(),
        "finished_at": analysis.finished_at and analysis.finished_at.isoformat(),
        "result": analysis.result and _result_json(analysis.result),
        "rejection": reason and {**reason, **judged_by} if analysis.status == Status.REJECTED else None,
        "failure": reason if analysis.status in {Status.FAILED, Status.EXPIRED} else None,
    }


def _result_json(result: Result) -> dict[str, Any]:
    return {
        "pred": result.pred,
        "skin": result.skin,
        "open": not result.judgment.certain,
        "open_signs": list(result.judgment.deciding_signs),
        "findings": [
            {
                "symptom": finding.symptom,
                "grade": finding.grade,
                "label": GRADES[finding.grade].korean,
                "confidence": round(finding.confidence, 4),
                "abstains": finding.abstains,
                "abstention": finding.abstention,
                "probabilities": [round(probability, 4) for probability in finding.probabilities],
            }
            for finding in result.findings
        ],
        "bundle": result.bundle,
        "demo": result.demo,
    }
