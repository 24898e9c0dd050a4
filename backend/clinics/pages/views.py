"""The clinics pages: the map with its list, one clinic, and a summary of a report for the doctor."""

from __future__ import annotations

from urllib.parse import quote, urlencode, urlsplit
from uuid import UUID

from csp.decorators import csp_update
from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from backend.analyses.errors import NoReportYet
from backend.analyses.models import Age, Device, Sex
from backend.analyses.presentation.report import Report
from backend.analyses.selectors.sender import sender_answers
from backend.analyses.selectors.status import analysis_status
from backend.clinics.errors import ClinicUnknown
from backend.clinics.models import Clinic
from backend.clinics.selectors.clinics import clinic_get, clinics_are_samples, clinics_search
from backend.clinics.sources import Source
from backend.config.errors import UserError
from backend.config.private_responses import private

CLINICS_PER_PAGE = 30


def _tile_hosts() -> list[str]:
    """The source of the map tiles for the content security policy; `{s}` stands for any subdomain."""
    address = urlsplit(settings.TILES_URL.replace("{s}", "*"))
    return [f"{address.scheme}://{address.netloc}"] if address.netloc else []


@require_safe
@csp_update({"img-src": _tile_hosts()})
def clinics(request: HttpRequest) -> HttpResponse:
    """All clinics on a map and in a list. Without scripts, only a list, which the form searches."""
    words = request.GET.get("q", "")[:100]
    specialist, booking = "specialist" in request.GET, "booking" in request.GET
    filters = {"specialist": specialist, "booking": booking}
    page = Paginator(clinics_search(words, specialist=specialist, booking=booking), CLINICS_PER_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "page": page,
        "words": words,
        **filters,
        "samples": clinics_are_samples(),
        "tiles": settings.TILES_URL,
        "tile_host": urlsplit(settings.TILES_URL.replace("{s}.", "")).hostname,
        "attribution": settings.TILES_ATTRIBUTION,
        "query": urlencode({"q": words, **{name: "on" for name, chosen in filters.items() if chosen}}),
    }
    return render(request, "pages/clinics.html", context)


@require_safe
def clinic(request: HttpRequest, clinic_id: int) -> HttpResponse:
    """One clinic, with directions."""
    try:
        found = clinic_get(clinic_id)
    except ClinicUnknown as error:
        context = {"status": error.status, "detail": error.detail}
        return render(request, "problem.html", context, status=error.status)
    context = {"clinic": found, "routes": directions_urls(found), "sample": _is_sample(found)}
    return render(request, "pages/clinic.html", context)


@require_safe
def doctor(request: HttpRequest, analysis_id: UUID) -> HttpResponse:
    """A page to print or show: what was seen in the photo, and what the doctor may ask."""
    try:
        status = analysis_status(analysis_id)
        if status.result is None:
            raise NoReportYet
    except UserError as error:
        problem = {"status": error.status, "detail": error.detail}
        return private(render(request, "problem.html", problem, status=error.status))
    answers = sender_answers(analysis_id)
    context = {
        "analysis": status,
        "report": Report(status.result),
        "finished_at": status.finished_at,
        "sex": answers and Sex(answers.sex).label,
        "age": answers and Age(answers.age).label,
        "device": answers and answers.device and Device(answers.device).label,
    }
    return private(render(request, "pages/doctor.html", context))


def directions_urls(clinic: Clinic) -> dict[str, str]:
    """Links to directions in each map service. The script of the map builds the same ones."""
    coordinates = f"{clinic.latitude},{clinic.longitude}"
    name = quote(clinic.name.replace(",", " "), safe="")
    return {
        "kakao": f"https://map.kakao.com/link/to/{name},{coordinates}",
        "naver": "https://map.naver.com/index.nhn?"
        + urlencode({"menu": "route", "elng": clinic.longitude, "elat": clinic.latitude, "etext": clinic.name}),
        "google": "https://www.google.com/maps/dir/?" + urlencode({"api": 1, "destination": coordinates}),
    }


def _is_sample(clinic: Clinic) -> bool:
    return clinic.source == Source.SAMPLE
