"""The API of analyses: submit, status, cancel, retry, erase, photo, export, share, feedback, queue."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.analyses.api import openapi
from backend.analyses.api.export import export_json
from backend.analyses.api.openapi_export import ExportSchema
from backend.analyses.api.polling import poll_response
from backend.analyses.api.representation import analysis_json
from backend.analyses.selectors.export import analysis_for_export
from backend.analyses.selectors.photo import analysis_photo
from backend.analyses.selectors.queue import queue_outlook
from backend.analyses.selectors.status import AnalysisStatus, analysis_status
from backend.analyses.services.control import analysis_cancel, analysis_erase, analysis_retry
from backend.analyses.services.feedback import feedback_give
from backend.analyses.services.sharing import share_create, share_end
from backend.analyses.services.submission import analysis_submit
from backend.config.private_responses import private, private_picture
from backend.operations.throttle import SubmitThrottle


class AnalysisCollection(APIView):
    parser_classes = [MultiPartParser]
    throttle_classes = [SubmitThrottle]

    @extend_schema(
        operation_id="analysis_submit",
        request={"multipart/form-data": openapi.SUBMISSION},
        parameters=[openapi.IDEMPOTENCY_KEY],
        responses={202: openapi.AnalysisSchema, **openapi.problems(400, 411, 413, 415, 422, 429, 503)},
    )
    def post(self, request: Request) -> HttpResponse:
        """Send a photo with sex, age and consent."""
        photo = request.FILES.get("photo")
        analysis = analysis_submit(
            request.POST,
            photo=photo.read() if photo else None,
            idempotency_key=request.headers.get("Idempotency-Key"),
        )
        return _accepted(analysis_status(analysis.id))


class AnalysisDetail(APIView):
    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        # A poll that `Polls` passed on: as a plain view, it is spared what DRF does around each request.
        if request.method in {"GET", "HEAD"}:
            return self.get(request, UUID(str(kwargs["analysis_id"])))
        return super().dispatch(request, *args, **kwargs)

    @extend_schema(
        operation_id="analysis_status",
        parameters=[openapi.IF_NONE_MATCH, openapi.PREFER],
        responses={
            200: openapi.AnalysisSchema,
            304: OpenApiResponse(description="Nothing has changed."),
            **openapi.problems(404, 410),
        },
    )
    def get(self, request: HttpRequest, analysis_id: UUID) -> HttpResponse:
        """Poll the status. Obey `Retry-After`, send `If-None-Match`, or wait for a change with `Prefer: wait=N`."""
        return poll_response(request, analysis_id)

    @extend_schema(
        operation_id="analysis_erase",
        responses={
            204: OpenApiResponse(description="Photo, findings and `Human` are gone."),
            **openapi.problems(404, 410),
        },
    )
    def delete(self, request: Request, analysis_id: UUID) -> HttpResponse:
        """Erase the analysis; its address then answers 410."""
        analysis_erase(analysis_id)
        return private(HttpResponse(status=204))


class AnalysisCancel(APIView):
    @extend_schema(
        operation_id="analysis_cancel",
        request=None,
        responses={202: openapi.AnalysisSchema, **openapi.problems(404, 409, 410)},
    )
    def post(self, request: Request, analysis_id: UUID) -> HttpResponse:
        """Cancel an analysis that has not ended; a running one stops between two models."""
        analysis_cancel(analysis_id)
        return _accepted(analysis_status(analysis_id))


class AnalysisRetry(APIView):
    throttle_classes = [SubmitThrottle]

    @extend_schema(
        operation_id="analysis_retry",
        request=None,
        responses={202: openapi.AnalysisSchema, **openapi.problems(404, 409, 410, 429, 503)},
    )
    def post(self, request: Request, analysis_id: UUID) -> HttpResponse:
        """Queue a failed or canceled analysis again."""
        analysis_retry(analysis_id)
        return _accepted(analysis_status(analysis_id))


class AnalysisPhoto(APIView):
    @extend_schema(
        operation_id="analysis_photo",
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY, **openapi.problems(404, 410)},
    )
    def get(self, request: Request, analysis_id: UUID) -> HttpResponse:
        """The stored photo, as long as it is kept."""
        return private_picture(analysis_photo(analysis_id), "image/jpeg")


class AnalysisExport(APIView):
    @extend_schema(
        operation_id="analysis_export",
        responses={200: ExportSchema, **openapi.problems(404, 410)},
    )
    def get(self, request: Request, analysis_id: UUID) -> HttpResponse:
        """Download everything that is stored about the analysis; the photo has its own address."""
        export = export_json(analysis_for_export(analysis_id), request._request)
        response = JsonResponse(export, json_dumps_params={"ensure_ascii": False, "indent": 2})
        response["Content-Disposition"] = 'attachment; filename="scalpspectra-analysis.json"'
        return private(response)


class AnalysisShare(APIView):
    @extend_schema(
        operation_id="analysis_share",
        request=None,
        responses={200: openapi.ShareSchema, **openapi.problems(404, 409, 410)},
    )
    def post(self, request: Request, analysis_id: UUID) -> HttpResponse:
        """Create a link to the report for others, without photo and address; a valid link is returned again."""
        share = share_create(analysis_id)
        url = request.build_absolute_uri(reverse("pages:shared", args=[share.id]))
        return private(JsonResponse({"url": url, "expires_at": share.expires_at.isoformat()}))

    @extend_schema(
        operation_id="analysis_share_end",
        responses={204: OpenApiResponse(description="There is no link any more."), **openapi.problems(404, 410)},
    )
    def delete(self, request: Request, analysis_id: UUID) -> HttpResponse:
        """Revoke the link."""
        share_end(analysis_id)
        return private(HttpResponse(status=204))


class AnalysisFeedback(APIView):
    @extend_schema(
        operation_id="analysis_feedback",
        request=openapi.FeedbackSchema,
        responses={
            204: OpenApiResponse(description="It is stored with the report."),
            **openapi.problems(400, 404, 409, 410, 415, 422),
        },
    )
    def post(self, request: Request, analysis_id: UUID) -> HttpResponse:
        """Give an opinion on one grade; a later one on the same sign replaces it."""
        feedback_give(analysis_id, request.data if isinstance(request.data, dict) else {})
        return private(HttpResponse(status=204))


class Queue(APIView):
    @extend_schema(operation_id="queue", responses={200: openapi.QueueSchema})
    def get(self, request: Request) -> HttpResponse:
        """What a photo that is sent now can expect."""
        response = JsonResponse(asdict(queue_outlook()))
        response["Cache-Control"] = "no-store"
        return response


def _accepted(analysis: AnalysisStatus) -> HttpResponse:
    response = JsonResponse(analysis_json(analysis), status=202, json_dumps_params={"ensure_ascii": False})
    response["Location"] = reverse("api:analysis", args=[analysis.id])
    return private(response, analysis.retry_after)
