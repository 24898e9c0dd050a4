"""The OpenAPI document."""

from __future__ import annotations

import threading
from typing import Any

from django.conf import settings
from django.http import Http404
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request
from rest_framework.response import Response


class Schema(SpectacularAPIView):
    """There is one version of it, in the languages that there are, whatever else is asked for.

    Django keeps a catalogue for good for each language that it was made to speak, known or not; and drf-spectacular
    writes the version that somebody asks for into a header. What drf-spectacular knows of other packages it looks for
    the first time that it is asked, which fails where two threads look at once: one makes it after the other.
    """

    making = threading.Lock()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.GET.get("lang") not in {None, "", *dict(settings.LANGUAGES)}:
            raise Http404

    def _get_schema_response(self, request: Request) -> Response:
        with self.making:
            return super()._get_schema_response(request)

    def _get_version_parameter(self, request: Request) -> None:
        return None
