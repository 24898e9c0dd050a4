"""The index of the API: where everything is, what is accepted, and which codes there are."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.analyses.api.openapi_index import IndexSchema
from backend.analyses.models import Age, Device, Sex
from backend.analyses.photos import PHOTO_MAX_ASPECT, PHOTO_MAX_BYTES, PHOTO_MAX_PIXELS, PHOTO_MIN_SIDE
from backend.analyses.presentation.consent import AGREEMENT, CONSENT_VERSION, HEADING, consent_facts
from backend.analyses.presentation.words import label_word
from backend.analyses.reasons import FAILURES, REJECTIONS
from backend.config.errors import error_codes
from backend.operations.long_polling import MAX_WAIT_SECONDS
from ml.labels import GRADES, SCALP_TYPES, SYMPTOMS, Label

PHOTO_TYPES = ("image/jpeg", "image/heic", "image/png", "image/webp", "image/bmp")
#: The first age group begins with it.
MIN_AGE = 14

#: Every address by what it is for, as URI templates (RFC 6570). A test compares them with the OpenAPI document.
LINKS = {
    "index": "/api/v1/",
    "analyses": "/api/v1/analyses/",
    "analysis": "/api/v1/analyses/{analysis_id}/",
    "analysis_cancel": "/api/v1/analyses/{analysis_id}/cancel/",
    "analysis_retry": "/api/v1/analyses/{analysis_id}/retry/",
    "analysis_photo": "/api/v1/analyses/{analysis_id}/photo/",
    "analysis_export": "/api/v1/analyses/{analysis_id}/export/",
    "analysis_share": "/api/v1/analyses/{analysis_id}/share/",
    "analysis_feedback": "/api/v1/analyses/{analysis_id}/feedback/",
    "analysis_products": "/api/v1/analyses/{analysis_id}/products/",
    "analysis_statistics": "/api/v1/analyses/{analysis_id}/statistics/",
    "queue": "/api/v1/queue/",
    "clinics": "/api/v1/clinics/",
    "clinics_map": "/api/v1/clinics/map/",
    "clinic": "/api/v1/clinics/{clinic_id}/",
    "products": "/api/v1/products/",
    "product_click": "/api/v1/products/{product_id}/click/",
    "questions": "/api/v1/questions/",
    "question": "/api/v1/questions/{key}/",
    "statistics": "/api/v1/statistics/",
}


class Index(APIView):
    @extend_schema(operation_id="index", responses={200: IndexSchema})
    def get(self, request: Request) -> HttpResponse:
        """Get addresses, limits, choices, the consent text and all codes. Read it when the app starts."""
        return JsonResponse(index_json(), json_dumps_params={"ensure_ascii": False})


def index_json() -> dict[str, Any]:
    return {
        "name": "ScalpSpectra",
        "version": settings.SPECTACULAR_SETTINGS["VERSION"],
        "languages": [code for code, _name in settings.LANGUAGES],
        "links": {**LINKS, "schema": "/api/schema/", "docs": "/api/docs/"},
        "limits": {
            "photo_types": list(PHOTO_TYPES),
            "photo_max_bytes": PHOTO_MAX_BYTES,
            "photo_max_pixels": PHOTO_MAX_PIXELS - 1,
            "photo_min_side": PHOTO_MIN_SIDE,
            "photo_max_aspect": PHOTO_MAX_ASPECT,
            "photo_retention_hours": settings.RETENTION_HOURS,
            "min_age": MIN_AGE,
            "max_wait_seconds": MAX_WAIT_SECONDS,
        },
        "choices": {
            "sex": [{"key": key, "label": str(label)} for key, label in Sex.choices],
            "age": [{"key": key, "label": str(label)} for key, label in Age.choices],
            "device": [{"key": key, "label": str(label)} for key, label in Device.choices],
            "symptom": _labels_json(SYMPTOMS),
            "grade": _labels_json(GRADES),
            "scalp_type": _labels_json(SCALP_TYPES),
        },
        "consent": {
            "version": CONSENT_VERSION,
            "heading": str(HEADING),
            "facts": [{"heading": fact.heading, "text": fact.text} for fact in consent_facts()],
            "agreement": str(AGREEMENT),
        },
        "errors": [
            {"code": code, "status": status, "detail": str(detail)} for code, (status, detail) in error_codes().items()
        ],
        "rejections": list(REJECTIONS),
        "failures": list(FAILURES),
    }


def _labels_json(labels: tuple[Label, ...]) -> list[dict[str, str]]:
    return [{"key": label.key, "label": label_word(label)} for label in labels]
