"""Serializers of a result for the OpenAPI document: documentation only, never run."""

from __future__ import annotations

from rest_framework import serializers

from backend.analyses.judgment import Certainty, SignState, Urgency
from backend.analyses.models import Abstention
from backend.analyses.presentation.doctor_tiers import TIERS
from ml.labels import GRADES, SCALP_TYPES, SYMPTOMS

#: Keys and names as stored, each with its English name.
SYMPTOM_KEYS = [(symptom.key, symptom.english) for symptom in SYMPTOMS]
TYPE_KEYS = [(label.key, label.english) for label in SCALP_TYPES]
TYPE_NAMES = [(label.korean, label.english) for label in SCALP_TYPES]
GRADE_KEYS = [(grade.key, grade.english) for grade in GRADES]
GRADE_NAMES = [(grade.korean, grade.english) for grade in GRADES]
MAX_GRADE = len(GRADES) - 1
LOCALIZED = "In the user's language."

SIGN_STATES = [
    (SignState.RATED.value, "It has one grade, mild or worse."),
    (SignState.ABSENT.value, "It is rated good."),
    (SignState.BETWEEN.value, "It has one of two neighboring grades."),
    (SignState.UNRATED.value, "No grade may be shown."),
]
CERTAINTIES = [
    (Certainty.CERTAIN.value, "There is one answer."),
    (Certainty.OPEN.value, "Several answers are possible, or too few signs were rated to be certain of one."),
    (Certainty.UNKNOWN.value, "Too little was rated to say anything."),
]
URGENCIES = [
    (Urgency.NONE.value, "Nothing to do."),
    (Urgency.SELF_CARE.value, "Care at home comes first."),
    (Urgency.SOON.value, "See a dermatologist soon."),
    (Urgency.TODAY.value, "See a doctor today; never from a photo alone."),
]
TIER_KEYS = [(tier.key, tier.heading) for tier in TIERS]
ABSTENTIONS = [
    (Abstention.UNSURE.value, "The confidence is below the model's threshold."),
    (Abstention.UNFAMILIAR.value, "The photo is unlike those that the model was calibrated on."),
    (Abstention.UNPROVEN.value, "No real photographs have confirmed the model yet."),
]


class FindingSchema(serializers.Serializer):
    symptom = serializers.ChoiceField(SYMPTOM_KEYS)
    name = serializers.CharField(help_text=f"Of the symptom. {LOCALIZED}")
    grade = serializers.IntegerField(min_value=0, max_value=MAX_GRADE)
    label = serializers.ChoiceField(GRADE_NAMES, help_text="The Korean name of the grade.")  # type: ignore[assignment]
    label_key = serializers.ChoiceField(
        GRADE_KEYS, allow_null=True, help_text="The grade; null if it must not be shown (`abstains`)."
    )
    grade_label = serializers.CharField(
        help_text=f"What may be said of the grade: “Moderate”, “Mild to moderate”, “Not rated”. {LOCALIZED}"
    )
    confidence = serializers.FloatField(min_value=0, max_value=1)
    abstains = serializers.BooleanField(help_text="True: do not show it as a grade; `abstention` says why.")
    abstention = serializers.ChoiceField(
        ABSTENTIONS,
        allow_null=True,
        help_text="Why the sign is not rated; null where it is. "
        "`pred` and `skin` leave out the grades of `unfamiliar` and `unproven`.",
    )
    probabilities = serializers.ListField(
        child=serializers.FloatField(min_value=0, max_value=1), min_length=4, max_length=4
    )


class TypeJudgmentSchema(serializers.Serializer):
    certainty = serializers.ChoiceField(CERTAINTIES)
    possible = serializers.ListField(
        child=serializers.ChoiceField(TYPE_KEYS), help_text="The types that are possible; none if it is unknown."
    )


class DegreeJudgmentSchema(serializers.Serializer):
    certainty = serializers.ChoiceField(CERTAINTIES)
    lowest = serializers.IntegerField(min_value=0, max_value=MAX_GRADE, allow_null=True)
    highest = serializers.IntegerField(min_value=0, max_value=MAX_GRADE, allow_null=True)


class SignJudgmentSchema(serializers.Serializer):
    symptom = serializers.ChoiceField(SYMPTOM_KEYS)
    state = serializers.ChoiceField(SIGN_STATES)
    lowest = serializers.IntegerField(
        min_value=0, max_value=MAX_GRADE, allow_null=True, help_text="The lowest grade that may be shown."
    )
    highest = serializers.IntegerField(
        min_value=0, max_value=MAX_GRADE, allow_null=True, help_text="The highest grade that may be shown."
    )
    reason = serializers.ChoiceField(ABSTENTIONS, allow_null=True, help_text="Why it is unrated; null where it is not.")


class JudgmentSchema(serializers.Serializer):
    """What may be said about the photo. Show nothing else."""

    type = TypeJudgmentSchema()
    degree = DegreeJudgmentSchema()
    urgency = serializers.ChoiceField(URGENCIES, help_text="What the grades ask for.")
    signs = serializers.ListField(child=SignJudgmentSchema(), min_length=len(SYMPTOMS), max_length=len(SYMPTOMS))


class ReportedSignSchema(serializers.Serializer):
    symptom = serializers.ChoiceField(SYMPTOM_KEYS)
    seen = serializers.CharField(allow_blank=True, help_text="What the photo shows; empty if it is not rated.")
    definition = serializers.CharField(help_text="What the sign is.")
    care = serializers.CharField(allow_blank=True, help_text="What to do at home; empty: nothing.")
    doctor = serializers.CharField(allow_blank=True, help_text="When to see a doctor; empty: no need for this alone.")
    why = serializers.CharField(allow_blank=True, help_text="Why it is not rated; empty where it is.")


class DoctorTierSchema(serializers.Serializer):
    key = serializers.ChoiceField(TIER_KEYS)
    heading = serializers.CharField()
    cases = serializers.ListField(child=serializers.CharField())
    phone = serializers.CharField(allow_null=True, help_text="The number to call, in Korea.")


class ReportSchema(serializers.Serializer):
    """The same sentences as on the page of the report, in the user's language."""

    headline = serializers.CharField()
    lede = serializers.CharField()
    action = serializers.CharField(help_text="The one thing to do now.")
    signs = serializers.ListField(
        child=ReportedSignSchema(),
        min_length=len(SYMPTOMS),
        max_length=len(SYMPTOMS),
        help_text="The most pronounced first.",
    )
    doctor_tiers = serializers.ListField(
        child=DoctorTierSchema(), help_text="When to see a doctor whatever the photo shows: show it with each report."
    )


class QualitySchema(serializers.Serializer):
    brightness = serializers.FloatField(min_value=0, max_value=1)
    contrast = serializers.FloatField(min_value=0, max_value=1)
    sharpness = serializers.FloatField(min_value=0, help_text="About 1 in focus.")
    good = serializers.BooleanField(help_text="False: a brighter, sharper photo would give a more reliable result.")


class ResultSchema(serializers.Serializer):
    pred = serializers.ChoiceField(
        GRADE_NAMES, help_text="The Korean name of the highest grade, which may be uncertain. Show `degree_label`."
    )
    skin = serializers.ChoiceField(
        TYPE_NAMES, help_text="The Korean name of the scalp type, which may be uncertain. Show `type_label`."
    )
    uncertain = serializers.BooleanField(help_text="True: type or degree is uncertain; `judgment` says what is left.")
    type_key = serializers.ChoiceField(TYPE_KEYS, allow_null=True, help_text="The scalp type; null if uncertain.")
    type_label = serializers.CharField(allow_null=True, help_text=f"The scalp type; null if uncertain. {LOCALIZED}")
    degree = serializers.IntegerField(
        min_value=0, max_value=MAX_GRADE, allow_null=True, help_text="The highest grade; null if uncertain."
    )
    degree_label = serializers.CharField(allow_null=True, help_text=f"The degree; null if uncertain. {LOCALIZED}")
    open = serializers.BooleanField(help_text="The same as `uncertain`: do not show `pred` and `skin`.")
    open_signs = serializers.ListField(
        child=serializers.ChoiceField(SYMPTOM_KEYS),
        help_text="The signs that leave type or degree uncertain.",
    )
    findings = serializers.ListField(child=FindingSchema(), min_length=len(SYMPTOMS), max_length=len(SYMPTOMS))
    judgment = JudgmentSchema()
    report = ReportSchema()
    map_urls = serializers.DictField(
        child=serializers.CharField(),
        help_text="By symptom, the path of a picture that shows where on the photo the evidence is. Not every sign has "
        "one, and they are deleted with the photo.",
    )
    quality = QualitySchema(allow_null=True, help_text="Measurements of the photo; null in old results.")
    bundle = serializers.CharField(help_text="Version of the models that made it.")
    demo = serializers.BooleanField(help_text="True: demo weights, not to be relied on.")
