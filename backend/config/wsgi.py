"""The WSGI application that gunicorn serves.

WSGI, not ASGI: a bounded number of threads reads whole uploads, and polls are short.
"""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")

django = get_wsgi_application()

from backend.analyses.api.polling import Polls  # noqa: E402 - needs models, which need Django to be set up.
from backend.operations.tracing import start_tracing  # noqa: E402

start_tracing("web")
application = Polls(django)
