"""What makes a phone take the pages for an app: the manifest, the service worker, the page for no connection.

All three are in the reader's language. The worker's bytes change with the offline page's, so that a browser takes a
new one after a change of language, words or styles.
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

#: `--paper` of `tokens.css`: what lies under the mark, and around the page while it opens.
PAPER = "#f6f2ea"
#: File, side in pixels, purpose. A maskable one bleeds to its edges, since phones cut it to a shape of theirs.
ICONS = (("icon-192", 192, "any"), ("icon-512", 512, "any"), ("icon-maskable-512", 512, "maskable"))
#: What the offline page is made of.
OFFLINE_FILES = (
    "css/tokens.css", "css/ground.css", "css/frame.css", "css/button.css", "css/notice.css", "css/print.css",
    "img/mark.svg", "js/app.js", "js/offline.js",
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
            "An AI looks at a photo of your scalp and says how marked six signs are. It informs and does not diagnose."
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
        "shortcuts": [{"name": gettext("Reports on this device"), "url": reverse("pages:history")}],
    }
    return _fresh(
        JsonResponse(
            document, content_type="application/manifest+json", json_dumps_params={"ensure_ascii": False, "indent": 1}
        )
    )


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker. Its address is what gives it the whole site."""
    page = render_to_string("pages/offline.html", request=request)
    context = {
        "version": hashlib.sha256(page.encode()).hexdigest()[:12],
        "offline": reverse("pages:offline"),
        "files": json.dumps([static(file) for file in OFFLINE_FILES], indent=2),
    }
    return _fresh(render(request, "sw.js", context, content_type="text/javascript"))


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """What a browser shows when it reaches nobody."""
    return _fresh(render(request, "pages/offline.html"))


def _fresh(response: HttpResponse) -> HttpResponse:
    """The answer, asked for anew each time, since it follows the language and the files of the moment."""
    response["Cache-Control"] = "no-cache"
    response["Vary"] = "Accept-Language, Cookie"
    return response
