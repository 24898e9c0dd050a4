"""Feedback of owners on their reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backend.analyses.models import Feedback, Opinion
from backend.analyses.selectors.status import analysis_missing, report_must_exist
from backend.config.errors import FieldError, InvalidFields
from ml.labels import SYMPTOMS

log = structlog.get_logger(__name__)


def feedback_give(analysis_id: UUID, given: Mapping[str, Any]) -> None:
    """Store one opinion, `opinion`, on one grade, `symptom`; a later one replaces it.

    Raises InvalidFields, NoReportYet, AnalysisUnknown or AnalysisErased.
    """
    errors = []
    if given.get("symptom") not in [symptom.key for symptom in SYMPTOMS]:
        errors.append(FieldError("symptom", "unknown_choice", _("Please choose one of the six signs.")))
    if given.get("opinion") not in Opinion.values:
        errors.append(FieldError("opinion", "unknown_choice", _("Please choose how the sign looks to you.")))
    if errors:
        raise InvalidFields(_("Please choose a sign and how it looks to you. Nothing was stored."), errors)
    report_must_exist(analysis_id)
    values = {"opinion": given["opinion"], "given_at": timezone.now()}
    try:
        with transaction.atomic():
            Feedback.objects.update_or_create(analysis_id=analysis_id, symptom=given["symptom"], defaults=values)
    except IntegrityError:
        raise analysis_missing(analysis_id) from None  # Erased since the read above.
    log.info("feedback_given", analysis=str(analysis_id))
