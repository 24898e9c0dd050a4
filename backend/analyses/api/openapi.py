"""Serializers for the OpenAPI document alone: documentation only, never run."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiRequest, extend_schema_field
from rest_framework import serializers

from backend.analyses.api.openapi_result import LOCALIZED, SYMPTOM_KEYS, ResultSchema
from backend.analyses.models import Age, Device, Opinion, Sex
from backend.analyses.reasons import FAILURES, REASONS, REJECTIONS, Tip, reason_text
from backend.analyses.states import Status
from ml.labels import MODEL_KEYS

FIELD_ERROR_CODES = [
    ("required", "It is missing."),
    ("unknown_choice", "It is none of the choices."),
    ("invalid", "It can't be read."),
]
REJECTION_CODES = [(code, REASONS[code]) for code in REJECTIONS]
FAILURE_CODES = [(code, reason_text(code)) for code in FAILURES]
TIPS = [
    (Tip.MOVE_CLOSER.value, "Move closer until skin and roots fill the photo."),
    (Tip.PART_HAIR.value, "Part the hair so that the skin can be seen."),
    (Tip.MORE_LIGHT.value, "Use more light."),
    (Tip.LESS_LIGHT.value, "Use less light, or hold it farther away."),
    (Tip.HOLD_STILL.value, "Hold still until the picture is sharp."),
]
ENDED_ONLY = "Only once the analysis has ended."


@extend_schema_field(OpenApiTypes.BINARY)
class PhotoField(serializers.FileField):
    pass


class SubmissionSchema(serializers.Serializer):
    photo = PhotoField(help_text="JPEG, HEIC, PNG, WebP or BMP, at most 10 MB.")
    sex = serializers.ChoiceField(Sex.choices)
    age = serializers.ChoiceField(Age.choices, help_text="By decade; no one under 14.")
    consent = serializers.ChoiceField(
        [("true", "Given")], help_text="To the analysis of health data; asked for separately."
    )
    device = serializers.ChoiceField(Device.choices, required=False)


SUBMISSION = OpenApiRequest(
    SubmissionSchema,
    encoding={"photo": {"contentType": "image/jpeg, image/heic, image/png, image/webp, image/bmp"}},
)


class RejectionSchema(serializers.Serializer):
    code = serializers.ChoiceField(REJECTION_CODES)
    detail = serializers.CharField(help_text=LOCALIZED)
    tips = serializers.ListField(
        child=serializers.ChoiceField(TIPS), help_text="What to do differently in the next photo."
    )
    bundle = serializers.CharField(help_text="Version of the models that rejected it.")
    demo = serializers.BooleanField(help_text="True: demo weights, not to be relied on.")


class FailureSchema(serializers.Serializer):
    code = serializers.ChoiceField(FAILURE_CODES)
    detail = serializers.CharField(help_text=LOCALIZED)


class AnalysisSchema(serializers.Serializer):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(Status.choices)
    position = serializers.IntegerField(min_value=1, allow_null=True, help_text="Position in the queue while queued.")
    eta_seconds = serializers.IntegerField(min_value=1, allow_null=True, help_text="Null without a worker.")
    models_done = serializers.IntegerField(min_value=0, max_value=len(MODEL_KEYS))
    models_total = serializers.IntegerField(min_value=len(MODEL_KEYS), max_value=len(MODEL_KEYS))
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    result = ResultSchema(allow_null=True)
    rejection = RejectionSchema(allow_null=True)
    failure = FailureSchema(allow_null=True)
    sex = serializers.ChoiceField(Sex.choices, required=False, help_text=ENDED_ONLY)
    age = serializers.ChoiceField(Age.choices, required=False, help_text=ENDED_ONLY)
    device = serializers.ChoiceField(Device.choices, required=False, allow_null=True, help_text=ENDED_ONLY)
    photo_url = serializers.CharField(
        required=False, allow_null=True, help_text=f"Path of the photo; null once it is purged. {ENDED_ONLY}"
    )
    photo_expires_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text=f"After which the photo is deleted; null once it is. {ENDED_ONLY}"
    )


class ShareSchema(serializers.Serializer):
    url = serializers.URLField(help_text="Shows the report, without the photo, to anyone who has it.")
    expires_at = serializers.DateTimeField()


class FeedbackSchema(serializers.Serializer):
    symptom = serializers.ChoiceField(SYMPTOM_KEYS)
    opinion = serializers.ChoiceField(Opinion.choices)


class QueueSchema(serializers.Serializer):
    accepting = serializers.BooleanField()
    waiting = serializers.IntegerField(min_value=0)
    workers = serializers.IntegerField(min_value=0)
    eta_seconds = serializers.IntegerField(min_value=1, allow_null=True, help_text="For a photo sent now.")


class FieldErrorSchema(serializers.Serializer):
    field = serializers.CharField()
    code = serializers.ChoiceField(FIELD_ERROR_CODES)
    detail = serializers.CharField()


class ProblemSchema(serializers.Serializer):
    """RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Stable; new ones may be added.")
    detail = serializers.CharField(help_text=LOCALIZED)
    instance = serializers.CharField()
    errors = FieldErrorSchema(many=True, required=False)  # type: ignore[assignment]


def problems(*codes: int) -> dict[tuple[int, str], type[ProblemSchema]]:
    return {(code, "application/problem+json"): ProblemSchema for code in codes}


IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    # Visible ASCII. Spaces at the ends do not belong to a header's value (RFC 9110, 5.5).
    {"type": "string", "pattern": "^[!-~]([ -~]{0,253}[!-~])?$"},
    OpenApiParameter.HEADER,
    description=(
        "The same key and content within a day: the same analysis. Keys are shared by all clients, so send a random "
        "UUID rather than a counter or a digest of the photo: a client that sends the same key and content gets the id."
    ),
)
PREFER = OpenApiParameter(
    "Prefer",
    str,
    OpenApiParameter.HEADER,
    description="`wait=N`, at most 25: answer when the status changes.",
)
IF_NONE_MATCH = OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="The last `ETag`.")
