"""The pages: the form, and the one address of an analysis from waiting to report. All work without JavaScript."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect, HttpResponseStopPolling

from backend.analyses.models import Age, Device, Opinion, Sex
from backend.analyses.pages.ending import Ending
from backend.analyses.pages.guidance import PAIRS
from backend.analyses.pages.heatmap import heatmap_png
from backend.analyses.pages.sample import sample_report
from backend.analyses.pages.sample_photos import SAMPLE_PHOTOS, sample_photo
from backend.analyses.pages.waiting import Waiting, line_words, outlook_words
from backend.analyses.photos import PHOTO_MAX_BYTES, PhotoRefused
from backend.analyses.presentation.report import Report
from backend.analyses.presentation.words import hours_words
from backend.analyses.selectors.photo import analysis_photo, finding_map
from backend.analyses.selectors.queue import queue_outlook
from backend.analyses.selectors.sender import sender_answers
from backend.analyses.selectors.sharing import share_of, shared_analysis
from backend.analyses.selectors.status import AnalysisStatus, analysis_status
from backend.analyses.services.control import analysis_cancel, analysis_erase, analysis_retry
from backend.analyses.services.feedback import feedback_give
from backend.analyses.services.sharing import SHARE_DAYS, share_create, share_end
from backend.analyses.services.submission import analysis_submit
from backend.analyses.states import Status
from backend.config.errors import COMMON, InvalidFields, UserError
from backend.config.private_responses import private, private_picture
from backend.operations.selectors import models_are_demo
from backend.operations.throttle import SubmitThrottle


class SeeOther(HttpResponseRedirect):
    """303: what was posted is done, and this is where to look at it."""

    status_code = 303


@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    """The form, and what it sends."""
    return _submit(request) if request.method == "POST" else _render_form(request)


@require_safe
def sample(request: HttpRequest) -> HttpResponse:
    """An invented report that shows what to expect before sending a photo."""
    return render(request, "pages/sample.html", {"report": sample_report()})


@require_safe
def analysis(request: HttpRequest, analysis_id: UUID) -> HttpResponse:
    """Waiting, then the report. htmx polls this very address and is given the part that changes."""
    try:
        status = analysis_status(analysis_id)
        context = _analysis_context(status)
    except UserError as error:
        return _render_problem(request, error)
    if not _is_htmx(request):
        return private(render(request, "pages/analysis.html", context), status.retry_after)
    if not status.ended:
        return private(render(request, "pages/_progress.html", context), status.retry_after)
    # The part that polled is replaced by all that there is to see now, and with it the polling ends.
    response = HttpResponseStopPolling(render(request, "pages/_ended.html", context).content)
    response["HX-Retarget"] = "#content"
    response["HX-Reswap"] = "innerHTML show:window:top"
    return private(response, status.retry_after)


@require_safe
def photo(request: HttpRequest, analysis_id: UUID) -> HttpResponse:
    """The stored photo, for anyone who knows the address of the analysis."""
    try:
        return private_picture(analysis_photo(analysis_id), "image/jpeg")
    except UserError as error:
        return _render_problem(request, error)


@require_safe
def symptom_map(request: HttpRequest, analysis_id: UUID, symptom: str) -> HttpResponse:
    """Where the grader of one symptom looked, to be laid over the photo."""
    try:
        return private_picture(heatmap_png(finding_map(analysis_id, symptom)), "image/png")
    except UserError as error:
        return _render_problem(request, error)


@require_POST
def cancel(request: HttpRequest, analysis_id: UUID) -> HttpResponse:
    return _run_service(request, analysis_cancel, analysis_id)


@require_POST
def retry(request: HttpRequest, analysis_id: UUID) -> HttpResponse:
    if not SubmitThrottle().allow_request(request, None):
        _code, detail = COMMON[429]
        messages.info(request, str(detail))
        return private(SeeOther(reverse("pages:analysis", args=[analysis_id])))
    return _run_service(request, analysis_retry, analysis_id)


@require_POST
def share(request: HttpRequest, analysis_id: UUID) -> HttpResponse:
    return _run_service(request, share_create, analysis_id, at="#share")


@require_POST
def unshare(request: HttpRequest, analysis_id: UUID) -> HttpResponse:
    return _run_service(request, share_end, analysis_id, at="#share")


@require_POST
def feedback(request: HttpRequest, analysis_id: UUID) -> HttpResponse:
    try:
        feedback_give(analysis_id, request.POST)
    except InvalidFields as error:
        messages.info(request, str(error.detail))
    except UserError as error:
        return _render_problem(request, error)
    else:
        messages.info(request, gettext("Thank you. Your opinion is stored with this report."))
    return private(SeeOther(reverse("pages:analysis", args=[analysis_id])))


@require_safe
def shared(request: HttpRequest, share_id: UUID) -> HttpResponse:
    """The report as others see it: without its own address, and so without a way to erase it."""
    try:
        status, link = shared_analysis(share_id)
        result = status.result
    except UserError as error:
        return _render_problem(request, error)
    assert result is not None, "Only a report is shared, and a report stays one until it is erased."
    context = {"finished_at": status.finished_at, "report": Report(result), "expires_at": link.expires_at}
    return private(render(request, "pages/shared.html", context))


@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest, analysis_id: UUID) -> HttpResponse:
    """Asks once more, then erases; the address of the analysis says from then on that it is gone."""
    if request.method == "POST":
        return _run_service(request, analysis_erase, analysis_id)
    try:
        status = analysis_status(analysis_id)
    except UserError as error:
        return _render_problem(request, error)
    return private(render(request, "pages/erase.html", {"analysis": status}))


# ── The form ─────────────────────────────────────────────────────────────────────────────────────────


def _submit(request: HttpRequest) -> HttpResponse:
    throttle = SubmitThrottle()
    if not throttle.allow_request(request, None):
        _code, detail = COMMON[429]
        return _render_form(request, status=429, notice=detail, retry_after=max(1, int(throttle.wait())))
    upload = request.FILES.get("photo")
    photo = upload.read() if upload else sample_photo(request.POST.get("sample"))
    try:
        analysis = analysis_submit(request.POST, photo=photo, idempotency_key=_idempotency_key(request.POST, photo))
    except InvalidFields as error:
        errors = {problem.field: problem.detail for problem in error.errors}
        return _render_form(request, status=error.status, notice=error.detail, errors=errors)
    except PhotoRefused as error:
        return _render_form(request, status=error.status, errors={"photo": error.detail})
    except UserError as error:
        return _render_form(request, status=error.status, notice=error.detail, retry_after=error.retry_after)
    address = reverse("pages:analysis", args=[analysis.id])
    return private(HttpResponseClientRedirect(address) if _is_htmx(request) else SeeOther(address))


def _idempotency_key(given: Mapping[str, Any], photo: bytes | None) -> str | None:
    """The rendering's key together with what was sent.

    So a double click is one analysis, while a visitor who goes back in the browser and sends another photo
    from the same rendering gets another analysis instead of an error about keys.
    """
    rendering = given.get("key", "")
    if not rendering:
        return None
    said = [rendering, *(given.get(field, "") for field in ("sex", "age", "device"))]
    return hashlib.sha256("\0".join(said).encode() + (photo or b"")).hexdigest()


def _render_form(
    request: HttpRequest,
    *,
    status: int = 200,
    notice: str | Promise = "",
    errors: Mapping[str, str | Promise] | None = None,
    retry_after: int | None = None,
) -> HttpResponse:
    """The form with the answers given so far. To htmx the form alone, so that a chosen photo stays chosen."""
    given = request.POST if request.method == "POST" else _earlier_answers(request)
    outlook = queue_outlook()
    context = {
        "given": given,
        "notice": notice,
        "errors": errors or {},
        "key": uuid.uuid4(),
        "photo_max_bytes": PHOTO_MAX_BYTES,
        "sexes": Sex.choices,
        "ages": Age.choices,
        "devices": Device.choices,
        "retention": hours_words(settings.RETENTION_HOURS),
        "demo": models_are_demo(),
        "line": line_words(outlook),
        "outlook": outlook_words(outlook),
        "pairs": PAIRS,
        "sample": sample_report(),
        "sample_photos": SAMPLE_PHOTOS,
    }
    template = "pages/_form.html" if _is_htmx(request) else "pages/home.html"
    response = render(request, template, context, status=status)
    response["Cache-Control"] = "no-store"  # A rendering kept by the browser would bring its old key along.
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    return response


def _earlier_answers(request: HttpRequest) -> Mapping[str, Any]:
    """The answers of the analysis that `?again=` names: people whose photo was rejected need not give them twice."""
    try:
        answers = sender_answers(UUID(request.GET.get("again", "")))
    except ValueError:
        return {}
    return asdict(answers) if answers else {}


# ── An analysis ──────────────────────────────────────────────────────────────────────────────────────


def _analysis_context(status: AnalysisStatus) -> dict[str, Any]:
    if not status.ended:
        waiting = Waiting(status)
        return {"analysis": status, "waiting": waiting, "title": waiting.title}
    if status.status == Status.SUCCEEDED and (result := status.result):
        report = Report(result)
        return {
            "analysis": status,
            "finished_at": status.finished_at,
            "report": report,
            "title": report.title,
            "retention": _retention_words(status),
            "opinions": Opinion.choices,
            "share": share_of(status.id),
            "shared_days": SHARE_DAYS,
        }
    ending = Ending(status)
    return {"analysis": status, "ending": ending, "title": ending.heading}


def _retention_words(status: AnalysisStatus) -> str:
    """How long photos are kept, or nothing once this one is gone."""
    return hours_words(settings.RETENTION_HOURS) if status.photo_kept else ""


def _run_service(request: HttpRequest, service: Any, analysis_id: UUID, *, at: str = "") -> HttpResponse:
    """Call the service, then show the analysis, with a message if the service refused."""
    try:
        service(analysis_id)
    except UserError as error:
        if error.status not in {409, 503}:
            return _render_problem(request, error)
        messages.info(request, str(error.detail))
    return private(SeeOther(reverse("pages:analysis", args=[analysis_id]) + at))


def _render_problem(request: HttpRequest, error: UserError) -> HttpResponse:
    context = {"status": error.status, "code": error.code, "detail": error.detail}
    response = render(request, "problem.html", context, status=error.status)
    if _is_htmx(request):
        response["HX-Refresh"] = "true"  # A page that polls what is gone loads itself again, and says so.
    return private(response)


def _is_htmx(request: HttpRequest) -> bool:
    return bool(request.htmx)  # type: ignore[attr-defined]  # set by HtmxMiddleware
