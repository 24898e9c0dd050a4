"""The view that serves the OpenAPI document."""

from __future__ import annotations

import threading
from typing import Any

from django.conf import settings
from django.http import Http404
from django.utils.translation import override
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request
from rest_framework.response import Response


class SchemaView(SpectacularAPIView):
    """Serves one version, in English unless `lang` names the other supported language.

    Django caches a translation catalog forever for each language that is activated, known or not, and drf-spectacular
    copies the requested version into a header. drf-spectacular also loads its extensions at the first request, which
    is not thread-safe: hence the lock.
    """

    lock = threading.Lock()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.GET.get("lang") not in {None, "", *dict(settings.LANGUAGES)}:
            raise Http404

    def _get_schema_response(self, request: Request) -> Response:
        language = request.GET.get("lang") or "en"
        with self.lock, override(language):
            response = super()._get_schema_response(request)
        response["Content-Language"] = language
        return response

    def _get_version_parameter(self, request: Request) -> None:
        return None
