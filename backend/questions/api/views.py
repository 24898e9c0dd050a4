"""The API of the questions, in the reader's language (`Accept-Language`)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.analyses.api.openapi import problems
from backend.analyses.errors import AnalysisUnknown
from backend.config.private_responses import private
from backend.operations.throttle import client_address
from backend.questions.advice import ADVICE
from backend.questions.api import openapi
from backend.questions.errors import EntryUnknown, QuestionMissing
from backend.questions.models import Entry
from backend.questions.selectors.answering import Answer, entry_get
from backend.questions.selectors.context import report_signs
from backend.questions.services.asking import question_ask
from backend.questions.wording import reader_language, worded


class Questions(APIView):
    @extend_schema(
        operation_id="question_ask",
        request=openapi.AskSchema,
        responses={200: openapi.ToldSchema, **problems(400, 404, 409, 410, 415, 422, 429)},
    )
    def post(self, request: Request) -> HttpResponse:
        """Ask something. Answers are reviewed texts; no machine writes one."""
        given = request.data if isinstance(request.data, dict) else {}
        question, analysis = given.get("question"), given.get("analysis")
        if not isinstance(question, str):
            raise QuestionMissing
        signs = report_signs(_id(analysis)) if analysis is not None else {}
        told = question_ask(question, reader_language(), sender=client_address(request), signs=list(signs))
        return private(JsonResponse(told_json(told), json_dumps_params={"ensure_ascii": False}))


class QuestionDetail(APIView):
    @extend_schema(operation_id="question", responses={200: openapi.EntrySchema, **problems(404)})
    def get(self, request: Request, key: str) -> HttpResponse:
        """One question with its answer."""
        entry = entry_get(key)
        if entry is None:
            raise EntryUnknown
        return JsonResponse(_entry_json(entry, reader_language()), json_dumps_params={"ensure_ascii": False})


def told_json(told: Answer) -> dict[str, Any]:
    advice = ADVICE[told.flag] if told.flag else None
    return {
        "kind": told.kind.value,
        "advice": advice and {
            "flag": told.flag, "heading": str(advice.heading), "text": str(advice.text), "phones": list(advice.phones),
        },
        "entry": told.entry and _entry_json(told.entry, told.language),
        "suggestions": [
            {"key": one.key, "question": worded(one, told.language).question} for one in told.suggestions
        ],
        "by_meaning": told.means,
    }  # fmt: skip


def _entry_json(entry: Entry, language: str) -> dict[str, Any]:
    said = worded(entry, language)
    return {
        "key": said.key, "question": said.question, "answer": said.answer, "source": said.source,
        "reviewed": said.reviewed and said.reviewed.isoformat(),
    }  # fmt: skip


def _id(word: object) -> UUID:
    """Raises AnalysisUnknown."""
    try:
        return UUID(str(word))
    except ValueError:
        raise AnalysisUnknown from None
