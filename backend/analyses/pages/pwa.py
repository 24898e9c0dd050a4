"""The installable web app: its manifest, the service worker, and the page for no connection.

All three are in the reader's language. The worker's bytes change with those of the pages that it caches, so that
browsers update it after a change of language, words or styles.
"""

from __future__ import annotations

import hashlib
import json

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_safe

from backend.analyses.pages.history import history_shell

#: `--paper` of `tokens.css`: behind the logo, and around the page while it opens.
PAPER = "#f6f2ea"
#: File, side in pixels, purpose. A maskable icon fills its square, since phones crop it to their own shape.
ICONS = (("icon-192", 192, "any"), ("icon-512", 512, "any"), ("icon-maskable-512", 512, "maskable"))
#: The files that the offline page needs.
OFFLINE_FILES = (
    "css/tokens.css", "css/base.css", "css/layout.css", "css/button.css", "css/notice.css", "css/print.css",
    "img/mark.svg", "js/every-page.js", "js/local-time.js", "js/offline.js",
)  # fmt: skip
#: What the page of the saved reports needs besides, so that they can be seen without a connection.
HISTORY_FILES = (
    "css/spectrum.css", "css/form.css", "css/history.css", "js/history.js", "js/compare.js",
    "js/grade-history-chart.js", "js/saved-reports.js", "js/database.js", "js/recent-list.js", "js/recent-reports.js",
)  # fmt: skip


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """The web app manifest (https://www.w3.org/TR/appmanifest/)."""
    document = {
        "id": reverse("pages:home"),
        "start_url": reverse("pages:home"),
        "scope": reverse("pages:home"),
        "name": gettext("ScalpSpectra, scalp check"),
        "short_name": "ScalpSpectra",
        "description": gettext(
            "An AI looks at a photo of your scalp and tells you how pronounced six signs are. For information, not a "
            "diagnosis."
        ),
        "lang": get_language(),
        "dir": "ltr",
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": PAPER,
        "icons": [
            {"src": static(f"img/{name}.png"), "sizes": f"{side}x{side}", "type": "image/png", "purpose": purpose}
            for name, side, purpose in ICONS
        ],
        "shortcuts": [{"name": gettext("Saved reports"), "url": reverse("pages:history")}],
    }
    return _require_revalidation(
        JsonResponse(
            document, content_type="application/manifest+json", json_dumps_params={"ensure_ascii": False, "indent": 1}
        )
    )


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker. Its address is what gives it the whole site."""
    pages = render_to_string("pages/offline.html", request=request).encode() + history_shell(request).content
    files = [static(file) for file in (*OFFLINE_FILES, *HISTORY_FILES)]
    context = {
        # The names of the files change with them, and the pages do not name what a module imports.
        "version": hashlib.sha256(pages + json.dumps(files).encode()).hexdigest()[:12],
        "offline": reverse("pages:offline"),
        "history": reverse("pages:history"),
        "files": json.dumps(files, indent=2),
    }
    return _require_revalidation(render(request, "sw.js", context, content_type="text/javascript"))


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """What a browser shows when it cannot reach the service."""
    return _require_revalidation(render(request, "pages/offline.html"))


def _require_revalidation(response: HttpResponse) -> HttpResponse:
    """Make browsers ask every time, since the answer depends on the language and the current files."""
    response["Cache-Control"] = "no-cache"
    response["Vary"] = "Accept-Language, Cookie"
    return response
