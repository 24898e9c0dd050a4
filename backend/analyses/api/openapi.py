"""Serializers for the OpenAPI document alone: documentation only, never run."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiRequest, extend_schema_field
from rest_framework import serializers

from backend.analyses.models import Abstention, Age, Device, Opinion, Sex
from backend.analyses.reasons import REJECTIONS
from backend.analyses.states import Status
from ml.labels import GRADES, MODEL_KEYS, SCALP_TYPES, SYMPTOMS

GRADE_NAMES = [grade.korean for grade in GRADES]


@extend_schema_field(OpenApiTypes.BINARY)
class PhotoField(serializers.FileField):
    pass


class SubmissionSchema(serializers.Serializer):
    photo = PhotoField(help_text="JPEG, HEIC, PNG, WebP or BMP, at most 10 MB.")
    sex = serializers.ChoiceField(Sex.choices)
    age = serializers.ChoiceField(Age.choices, help_text="By decade; no one under 14.")
    consent = serializers.ChoiceField(["true"], help_text="To the analysis of health data; asked for separately.")
    device = serializers.ChoiceField(Device.choices, required=False)


SUBMISSION = OpenApiRequest(
    SubmissionSchema,
    encoding={"photo": {"contentType": "image/jpeg, image/heic, image/png, image/webp, image/bmp"}},
)


class FindingSchema(serializers.Serializer):
    symptom = serializers.ChoiceField([symptom.key for symptom in SYMPTOMS])
    grade = serializers.IntegerField(min_value=0, max_value=3)
    label = serializers.ChoiceField(GRADE_NAMES)  # type: ignore[assignment]
    confidence = serializers.FloatField(min_value=0, max_value=1)
    abstains = serializers.BooleanField(help_text="True: do not show it as a grade; `abstention` says why.")
    abstention = serializers.ChoiceField(
        Abstention.choices,
        allow_null=True,
        help_text="Why the sign is not rated; null where it is. "
        "`unsure`: the confidence is below the model's threshold. "
        "`unfamiliar`: the photo is unlike those that the model was calibrated on. "
        "`unproven`: no real photographs have confirmed the model yet. "
        "Type and degree leave out the grades of the last two.",
    )
    probabilities = serializers.ListField(
        child=serializers.FloatField(min_value=0, max_value=1), min_length=4, max_length=4
    )


class ResultSchema(serializers.Serializer):
    pred = serializers.ChoiceField(GRADE_NAMES, help_text="The degree: the highest grade.")
    skin = serializers.ChoiceField([skin.korean for skin in SCALP_TYPES], help_text="The scalp type.")
    open = serializers.BooleanField(
        help_text="True: type and degree are open and must not be shown, as what could decide them was not rated."
    )
    open_signs = serializers.ListField(
        child=serializers.ChoiceField([symptom.key for symptom in SYMPTOMS]),
        help_text="The unrated signs that would decide the type.",
    )
    findings = serializers.ListField(child=FindingSchema(), min_length=len(SYMPTOMS), max_length=len(SYMPTOMS))
    bundle = serializers.CharField(help_text="Version of the models that made it.")
    demo = serializers.BooleanField(help_text="True: demo weights, not to be relied on.")


class ReasonSchema(serializers.Serializer):
    code = serializers.CharField(help_text=f"Of a rejection one of {', '.join(REJECTIONS)}.")
    detail = serializers.CharField(help_text="In the user's language.")


class RejectionSchema(ReasonSchema):
    bundle = serializers.CharField(help_text="Version of the models that rejected it.")
    demo = serializers.BooleanField(help_text="True: demo weights, not to be relied on.")


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
    failure = ReasonSchema(allow_null=True)


class ShareSchema(serializers.Serializer):
    url = serializers.URLField(help_text="Shows the report, without the photo, to anyone who has it.")
    expires_at = serializers.DateTimeField()


class StoredAnalysisSchema(serializers.Serializer):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(Status.choices)
    code = serializers.CharField(allow_blank=True, help_text="Why it was rejected or failed.")
    photo = serializers.URLField(allow_null=True, help_text="URL of the photo; null once it is purged.")
    sex = serializers.ChoiceField(Sex.choices)
    age = serializers.ChoiceField(Age.choices)
    device = serializers.ChoiceField([*Device.choices, ("", "")])
    consented_at = serializers.DateTimeField(help_text="When consent was given.")
    idempotency_key = serializers.CharField(allow_null=True, help_text="SHA-256 of the key that came with the photo.")
    fingerprint = serializers.CharField(help_text="SHA-256 of answers and file, to recognize repeated submissions.")
    created_at = serializers.DateTimeField()
    queued_at = serializers.DateTimeField()
    # The columns of `notified_at` and `attempts_before`.
    rung_at = serializers.DateTimeField(allow_null=True, help_text="When the last message was sent to the workers.")
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    purge_at = serializers.DateTimeField(help_text="After which the photo is deleted.")
    attempt = serializers.IntegerField(min_value=0)
    tries_from = serializers.IntegerField(min_value=0, help_text="The number of attempts before the last request.")
    worker = serializers.CharField(allow_blank=True)
    lease_until = serializers.DateTimeField(allow_null=True)
    models_done = serializers.IntegerField(min_value=0, max_value=len(MODEL_KEYS))
    traceparent = serializers.CharField(allow_null=True, help_text="Trace of the last request (W3C).")
    brightness = serializers.FloatField(allow_null=True)
    contrast = serializers.FloatField(allow_null=True)
    sharpness = serializers.FloatField(allow_null=True)
    bundle = serializers.CharField(allow_blank=True)
    demo = serializers.BooleanField()


class StoredFindingSchema(serializers.Serializer):
    symptom = serializers.ChoiceField([symptom.key for symptom in SYMPTOMS])
    grade = serializers.IntegerField(min_value=0, max_value=3)
    probability_0 = serializers.FloatField(min_value=0, max_value=1)
    probability_1 = serializers.FloatField(min_value=0, max_value=1)
    probability_2 = serializers.FloatField(min_value=0, max_value=1)
    probability_3 = serializers.FloatField(min_value=0, max_value=1)
    confidence = serializers.FloatField(min_value=0, max_value=1)
    abstains = serializers.BooleanField()
    abstention = serializers.ChoiceField([*Abstention.choices, ("", "")])
    map = serializers.CharField(allow_null=True, help_text="Where on the photo: a square of bytes, base64.")


class StoredHumanSchema(serializers.Serializer):
    id = serializers.IntegerField()
    sex = serializers.CharField()
    age = serializers.CharField()
    pred = serializers.ChoiceField(GRADE_NAMES)
    skin = serializers.ChoiceField([skin.korean for skin in SCALP_TYPES])


class StoredFeedbackSchema(serializers.Serializer):
    symptom = serializers.ChoiceField([symptom.key for symptom in SYMPTOMS])
    opinion = serializers.ChoiceField(Opinion.choices)
    given_at = serializers.DateTimeField()


class StoredShareSchema(serializers.Serializer):
    id = serializers.UUIDField()
    url = serializers.URLField()
    expires_at = serializers.DateTimeField()


class RetentionSchema(serializers.Serializer):
    photo_hours = serializers.FloatField(min_value=0)
    photo_purged_after = serializers.DateTimeField()
    rest = serializers.CharField(help_text="How long everything else is kept, in the user's language.")


class NotIncludedSchema(serializers.Serializer):
    what = serializers.CharField()
    why = serializers.CharField(help_text="In the user's language.")


class ExportSchema(serializers.Serializer):
    """Everything that is stored about an analysis."""

    analysis = StoredAnalysisSchema()
    findings = StoredFindingSchema(many=True)
    human = StoredHumanSchema(allow_null=True, help_text="Its part in the statistics.")
    feedback = StoredFeedbackSchema(many=True)
    share = StoredShareSchema(allow_null=True)
    retention = RetentionSchema()
    not_included = NotIncludedSchema(many=True)


class FeedbackSchema(serializers.Serializer):
    symptom = serializers.ChoiceField([symptom.key for symptom in SYMPTOMS])
    opinion = serializers.ChoiceField(Opinion.choices)


class QueueSchema(serializers.Serializer):
    accepting = serializers.BooleanField()
    waiting = serializers.IntegerField(min_value=0)
    workers = serializers.IntegerField(min_value=0)
    eta_seconds = serializers.IntegerField(min_value=1, allow_null=True, help_text="For a photo sent now.")


class FieldErrorSchema(serializers.Serializer):
    field = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSchema(serializers.Serializer):
    """RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Stable.")
    detail = serializers.CharField(help_text="In the user's language.")
    instance = serializers.CharField()
    errors = FieldErrorSchema(many=True, required=False)  # type: ignore[assignment]


def problems(*codes: int) -> dict[tuple[int, str], type[ProblemSchema]]:
    return {(code, "application/problem+json"): ProblemSchema for code in codes}


IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    # Visible ASCII. Spaces at the ends do not belong to a header's value (RFC 9110, 5.5).
    {"type": "string", "pattern": "^[!-~]([ -~]{0,253}[!-~])?$"},
    OpenApiParameter.HEADER,
    description="The same key and content: the same analysis.",
)
PREFER = OpenApiParameter(
    "Prefer",
    str,
    OpenApiParameter.HEADER,
    description="`wait=N`, at most 25: answer when the status changes.",
)
IF_NONE_MATCH = OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="The last `ETag`.")
