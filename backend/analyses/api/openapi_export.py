"""Serializers of the export for the OpenAPI document: documentation only, never run."""

from __future__ import annotations

from rest_framework import serializers

from backend.analyses.api.openapi_result import GRADE_NAMES, LOCALIZED, SYMPTOM_KEYS, TYPE_NAMES
from backend.analyses.models import Abstention, Age, Device, Opinion, Sex
from backend.analyses.states import Status
from ml.labels import MODEL_KEYS


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
    symptom = serializers.ChoiceField(SYMPTOM_KEYS)
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
    skin = serializers.ChoiceField(TYPE_NAMES)


class StoredFeedbackSchema(serializers.Serializer):
    symptom = serializers.ChoiceField(SYMPTOM_KEYS)
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
    why = serializers.CharField(help_text=LOCALIZED)


class ExportSchema(serializers.Serializer):
    """Everything that is stored about an analysis."""

    analysis = StoredAnalysisSchema()
    findings = StoredFindingSchema(many=True)
    human = StoredHumanSchema(allow_null=True, help_text="Its part in the statistics.")
    feedback = StoredFeedbackSchema(many=True)
    share = StoredShareSchema(allow_null=True)
    retention = RetentionSchema()
    not_included = NotIncludedSchema(many=True)
