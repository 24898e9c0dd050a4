"""Django's settings. Each comes from the environment, prefix `SCALP_`; `docs/settings.md` lists them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from backend.config import environment
from backend.config.safety_checks import refuse_unsafe_settings
from backend.operations.task_names import UPKEEP_QUEUE

ROOT = Path(__file__).resolve().parent.parent.parent
VAR = environment.folder("VAR", ROOT / "var")
VAR.mkdir(parents=True, exist_ok=True, mode=0o700)

DEBUG = environment.flag("DEBUG", False)
SECRET_KEY = environment.secret_key(VAR)
SECRET_KEY_FALLBACKS = environment.former_secret_keys()
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = environment.words("CSRF_TRUSTED_ORIGINS", "")

# ── What the service promises ────────────────────────────────────────────────────────────────────────

#: The one number that all time limits derive from: how long an attempt may go without a renewal.
LEASE_SECONDS = environment.number("LEASE_SECONDS", 60, least=2, most=3600)
HEARTBEAT_SECONDS = LEASE_SECONDS / 12  #: between two heartbeats of a worker, which renew its leases
HEARTBEAT_STALE_SECONDS = LEASE_SECONDS / 3  #: a worker with an older heartbeat does not count as available
REAP_SECONDS = LEASE_SECONDS / 6  #: between two runs of the reaper
RESEND_SECONDS = LEASE_SECONDS / 3  #: after this the message of a queued row may be sent again
VISIBILITY_SECONDS = LEASE_SECONDS * 10  #: after this the broker redelivers an unacknowledged message

MAX_ATTEMPTS = environment.integer("MAX_ATTEMPTS", 3, least=1, most=20)
QUEUE_LIMIT = environment.integer("QUEUE_LIMIT", 500, least=1, most=10_000_000)
RETENTION_HOURS = environment.number("RETENTION_HOURS", 24, least=0.001, most=24 * 365)
QUESTIONS_PER_MINUTE = environment.integer("QUESTIONS_PER_MINUTE", 20, least=1, most=1_000_000)
SUBMITS_PER_MINUTE = environment.integer("SUBMITS_PER_MINUTE", 20, least=1, most=1_000_000)
LOGINS_PER_MINUTE = environment.integer("LOGINS_PER_MINUTE", 10, least=1, most=1_000_000)  #: attempts, in the admin
WAITERS = environment.integer("WAITERS", 6, least=0, most=1000)  #: held requests (`Prefer: wait`) per process

BUNDLE = environment.text("BUNDLE", str(ROOT / "ml" / "bundles" / "demo"))
DEVICE = environment.text("DEVICE", "auto")
RUNTIME = environment.text("RUNTIME", "auto")
#: None: measured by each worker when it starts.
MAX_BATCH = environment.unless_auto(environment.integer, "MAX_BATCH", least=1, most=1024)
MAX_WAIT_MS = environment.unless_auto(environment.number, "MAX_WAIT_MS", least=0, most=10_000)
METRICS_PORT = environment.integer("METRICS_PORT", 0, least=0, most=65535)  #: of a worker; 0: none
METRICS_HOST = environment.text("METRICS_HOST", "127.0.0.1")
#: The tile server of the clinic map, `https://…/{z}/{x}/{y}.png`, and its attribution; none by default, as the server
#: learns which part of the map people view.
TILES_URL = environment.text("TILES_URL", "")
TILES_ATTRIBUTION = environment.text("TILES_ATTRIBUTION", "")
#: Whether questions are also searched by meaning, if its model is installed (requirements/questions.txt).
QUESTIONS_BY_MEANING = environment.flag("QUESTIONS_BY_MEANING", True)
TRACES = environment.traces()  #: whether spans are exported to an OpenTelemetry collector

# ── Django ───────────────────────────────────────────────────────────────────────────────────────────

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "import_export",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "backend.analyses",
    "backend.clinics",
    "backend.questions",
    "backend.statistics",
    "backend.operations",
    "backend.products",
]

MIDDLEWARE = [
    "backend.operations.request_metrics.RequestMetrics",
    "backend.operations.request_metrics.RequestTraces",
    "backend.operations.middleware.RequestLog",
    "backend.operations.middleware.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "backend.operations.probes.Probes",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "backend.operations.middleware.CompressedPages",
    "backend.operations.middleware.BodyLimit",
    "backend.operations.middleware.FormsInUTF8",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "backend.operations.middleware.IdsInAnyCase",
    "backend.operations.middleware.Slashes",
    "backend.operations.middleware.FormsWithoutReferrer",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "backend.operations.middleware.DatabaseUnavailable",
]

ROOT_URLCONF = "backend.config.urls"
WSGI_APPLICATION = "backend.config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "frontend" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": environment.database(VAR, transaction_seconds=LEASE_SECONDS / 2)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

STORAGES = {
    "default": environment.storage(VAR, answer_seconds=LEASE_SECONDS / 6),
    "staticfiles": {"BACKEND": "backend.config.static.StaticFiles"},
}
STATIC_URL = "/static/"
STATIC_ROOT = environment.folder("STATIC_ROOT", VAR / "static")
STATICFILES_DIRS = [ROOT / "frontend" / "static"]
WHITENOISE_ALLOW_ALL_ORIGINS = False  # No other site needs them.
# A photo is at most 10 MB and is cleaned in memory: no upload ever touches a temporary file.
FILE_UPLOAD_HANDLERS = [
    "backend.operations.uploads.PartLimit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
]
FILE_UPLOAD_MAX_MEMORY_SIZE = 11 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
BODY_MAX_BYTES = 10 * 1024 * 1024 + 64 * 1024  #: a photo of 10 MB and the multipart around it

LANGUAGE_CODE = "ko"
LANGUAGES = [("ko", _("Korean")), ("en", _("English"))]
LOCALE_PATHS = [ROOT / "frontend" / "locale"]
TIME_ZONE = "Asia/Seoul"
USE_TZ = True

# ── Security ─────────────────────────────────────────────────────────────────────────────────────────

HTTPS = environment.flag("HTTPS", False)  #: true where TLS ends in front of us
TRUSTED_PROXIES = environment.integer("TRUSTED_PROXIES", 0, least=0, most=10)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_SSL_REDIRECT = False  # The proxy that ends TLS redirects; health checks come without it.
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Of what `check --deploy` asks for, these are the operator's to choose where TLS ends: to redirect to HTTPS, and to
# bind all other names below the site's domain to HTTPS too, or for good.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
X_FRAME_OPTIONS = "DENY"
# Responses with the id of an analysis set `no-referrer` themselves.
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

# ── API ──────────────────────────────────────────────────────────────────────────────────────────────

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],  # No accounts: the id of an analysis is the capability.
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["backend.config.parsers.ShortJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "backend.config.operation_schema.OperationSchema",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "backend.config.negotiation.AlwaysJSON",
    "EXCEPTION_HANDLER": "backend.config.problems.problem_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "ScalpSpectra",
    "DESCRIPTION": "Send a photo of a scalp, poll, read six findings. It informs, it does not diagnose.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVERS": [{"url": "/", "description": "This service."}],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "backend.config.operation_schema.add_error_codes",
        "backend.config.operation_schema.add_examples",
    ],
    "ENUM_NAME_OVERRIDES": {
        "GradeEnum": "backend.analyses.api.openapi_result.GRADE_NAMES",
        "GradeKeyEnum": "backend.analyses.api.openapi_result.GRADE_KEYS",
        "SymptomEnum": "backend.analyses.api.openapi_result.SYMPTOM_KEYS",
        "ScalpTypeEnum": "backend.analyses.api.openapi_result.TYPE_KEYS",
        "AbstentionEnum": "backend.analyses.api.openapi_result.ABSTENTIONS",
        "DoctorTierEnum": "backend.analyses.api.openapi_result.TIER_KEYS",
        "SignStateEnum": "backend.analyses.api.openapi_result.SIGN_STATES",
        "FieldErrorEnum": "backend.analyses.api.openapi.FIELD_ERROR_CODES",
        "RejectionEnum": "backend.analyses.api.openapi.REJECTION_CODES",
        "FailureEnum": "backend.analyses.api.openapi.FAILURE_CODES",
        "ProductKindEnum": "backend.products.kinds.ProductKind.values",
        "AnswerKindEnum": "backend.questions.api.openapi.KINDS",
    },
}

# ── Admin ────────────────────────────────────────────────────────────────────────────────────────────

# Without it, everyone who may log in to the admin may export every table.
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "view"

#: The admin's links to Flower; by default behind the proxy.
FLOWER_URL = environment.text("FLOWER_URL", "/flower/")

# ── Celery ───────────────────────────────────────────────────────────────────────────────────────────

CELERY_BROKER_URL = environment.broker("redis://127.0.0.1:6379/0")
if CELERY_BROKER_URL.startswith("amqp"):
    CELERY_BROKER_TRANSPORT = f"backend.operations.rabbitmq:{urlsplit(CELERY_BROKER_URL).scheme}"
    # Durable classic queues and persistent messages, Celery's defaults. Quorum queues would replicate messages that
    # may get lost anyway, and for them Celery creates some fifty queues and exchanges for delays, which we do not use.
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, float] = {"confirm_publish": True, "socket_timeout": 15}
    CELERY_BROKER_HEARTBEAT = 10  # A disconnected host keeps its messages for up to twice this long.
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": VISIBILITY_SECONDS,
        "unacked_restore_interval": 1,  # A killed worker's messages come back after the timeout, not up to
        "unacked_restore_throttle": 1,  # 100 s later (kombu #2558).
        "socket_connect_timeout": 2,
        "socket_timeout": 15,
        "socket_keepalive": True,
        "health_check_interval": 10,
    }
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TRACK_STARTED = True
CELERY_TASK_SEND_SENT_EVENT = True
CELERY_TASK_DEFAULT_QUEUE = UPKEEP_QUEUE
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_WORKER_SEND_TASK_EVENTS = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CONCURRENCY = environment.integer("CONCURRENCY", 64, least=1, most=4096)
CELERY_TIMEZONE = TIME_ZONE

# ── Logs: one line of JSON per event, ids and causes, never answers ──────────────────────────────────

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"unplanned": {"()": "backend.operations.logs.Unplanned"}},
    "formatters": {"json": {"()": "backend.operations.logs.json_formatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": environment.text("LOG_LEVEL", "INFO").upper()},
    "loggers": {
        "django.server": {"handlers": ["stderr"], "propagate": False},
        # Refusing by design is not an error: not ready, queue full.
        "django.request": {"level": "ERROR", "filters": ["unplanned"]},
        # Requests for a foreign host or with too much of something get 400, forms without a token 403: scanners must
        # not fill the log.
        **{
            f"django.security.{refused}": {"level": "CRITICAL"}
            for refused in ("DisallowedHost", "RequestDataTooBig", "TooManyFieldsSent", "TooManyFilesSent", "csrf")
        },
    },
}

refuse_unsafe_settings(
    debug=DEBUG, https=HTTPS, hosts=ALLOWED_HOSTS, proxies=TRUSTED_PROXIES, broker=CELERY_BROKER_URL,
    database=DATABASES["default"],
)  # fmt: skip
