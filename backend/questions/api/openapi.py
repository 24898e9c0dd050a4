"""Serializers for the OpenAPI document alone: documentation only, never run."""

from __future__ import annotations

from rest_framework import serializers

from backend.questions.models import ReviewerRole
from backend.questions.red_flags import RedFlag
from backend.questions.selectors.answering import NOT_BLANK, QUESTION_MAX_CHARS, AnswerKind

KINDS = [kind.value for kind in AnswerKind]


class AskSchema(serializers.Serializer):
    question = serializers.RegexField(
        NOT_BLANK, max_length=QUESTION_MAX_CHARS, help_text="In Korean, English, or both."
    )
    analysis = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text="A report; entries about its signs rank higher. It is not stored with the question.",
    )


class SuggestionSchema(serializers.Serializer):
    key = serializers.SlugField()
    question = serializers.CharField()


class EntrySchema(SuggestionSchema):
    answer = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # a field of the answer, not the serializer's own
    edited_on = serializers.DateField(allow_null=True)
    reviewed = serializers.DateField(
        allow_null=True,
        help_text="When someone in `reviewed_by_role` reviewed the answer; null if it was not reviewed.",
    )
    reviewed_by_role = serializers.ChoiceField(["", *ReviewerRole.values])


class AdviceSchema(serializers.Serializer):
    flag = serializers.ChoiceField([flag.value for flag in RedFlag])
    heading = serializers.CharField()
    text = serializers.CharField()
    phones = serializers.ListField(child=serializers.CharField(), help_text="Numbers to call in Korea.")
    interpretation = serializers.CharField(
        help_text="How people who don't speak Korean get help; empty if it can wait until they find a doctor."
    )


class AnswerSchema(serializers.Serializer):
    kind = serializers.ChoiceField(
        KINDS,
        help_text="`red_flag`: urgent, show `advice`. `answer`: show `entry`. `unsure`: one of the `suggestions` may "
        "fit. `off_topic`, `unknown`: no answer.",
    )
    advice = AdviceSchema(allow_null=True)
    entry = EntrySchema(allow_null=True)
    suggestions = SuggestionSchema(many=True)
    by_meaning = serializers.BooleanField(
        help_text="False: only words and letters were compared, because the embedding model is not installed."
    )
