"""Reads settings from the environment, prefix `SCALP_`, and refuses nonsense with a sentence.

Any `SCALP_X` may also come as `SCALP_X_FILE`, a path to a file that holds the value: that is how
container secrets arrive. All helpers raise ImproperlyConfigured, so a misconfigured process does not start.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

PREFIX = "SCALP_"

Value = TypeVar("Value", int, float)


_read = environ.FileAwareEnv()
_read.prefix = PREFIX


def text(name: str, default: str) -> str:
    return str(_read.str(name, default=default)).strip()


def flag(name: str, default: bool) -> bool:
    raw = text(name, str(default)).lower()
    if raw in {"1", "true", "yes", "on"}:
        return True
    if raw in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{PREFIX}{name} is {raw!r}: write true or false.")


def words(name: str, default: str) -> list[str]:
    """A list separated by commas."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def number(name: str, default: float, *, least: float, most: float) -> float:
    raw = text(name, str(default))
    try:
        value = float(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{PREFIX}{name} is {raw!r}: a number is wanted.") from None
    if not least <= value <= most:
        raise ImproperlyConfigured(f"{PREFIX}{name} is {raw}: it must lie between {least:g} and {most:g}.")
    return value


def integer(name: str, default: int, *, least: int, most: int) -> int:
    value = number(name, default, least=least, most=most)
    if not value.is_integer():
        raise ImproperlyConfigured(f"{PREFIX}{name} is {value:g}: a whole number is wanted.")
    return int(value)


def unless_auto(read: Callable[..., Value], name: str, *, least: float, most: float) -> Value | None:
    """What `read`, one of the above, reads; None for `auto`, the default: the process finds a value when it starts."""
    if text(name, "auto").lower() == "auto":
        return None
    try:
        return read(name, least, least=least, most=most)
    except ImproperlyConfigured as error:
        raise ImproperlyConfigured(f"{error} Or write auto.") from None


def folder(name: str, default: Path) -> Path:
    return Path(text(name, str(default))).expanduser().absolute()


def secret_key(var: Path) -> str:
    """`SCALP_SECRET_KEY`, or else the key kept in `var/secret-key`, made on the first start."""
    key = text("SECRET_KEY", "")
    if not key:
        kept = var / "secret-key"
        if not kept.exists():
            var.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = var / f".secret-key-{secrets.token_hex(8)}"
            fresh.touch(mode=0o600)
            fresh.write_text(secrets.token_urlsafe(64))
            try:
                kept.hardlink_to(fresh)  # Of two processes that start at once, one key wins.
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        key = kept.read_text().strip()
    _refuse_weak("SECRET_KEY", key)
    return key


def former_secret_keys() -> list[str]:
    """`SCALP_SECRET_KEY_FALLBACKS`: keys by which what was signed before the key was changed still counts."""
    keys = words("SECRET_KEY_FALLBACKS", "")
    for key in keys:
        _refuse_weak("SECRET_KEY_FALLBACKS", key)
    return keys


def _refuse_weak(name: str, key: str) -> None:
    # Django's project template marks the keys that it makes for development, which many commit.
    if len(key) < 32 or len(set(key)) < 8 or key.startswith("django-insecure-"):
        raise ImproperlyConfigured(
            f"{PREFIX}{name} is too weak: 32 characters or more are wanted, for example from "
            "`python -c 'import secrets; print(secrets.token_urlsafe(64))'`."
        )


def database(var: Path, *, transaction_seconds: float) -> dict[str, Any]:
    """Django's database settings from `SCALP_DATABASE_URL` and, where the URL has none, `SCALP_DATABASE_PASSWORD`.

    `transaction_seconds` is how long PostgreSQL lets a transaction stand still.
    """
    url = text("DATABASE_URL", f"sqlite:///{var / 'db.sqlite3'}")
    config: dict[str, Any] = dict(environ.Env.db_url_config(url))
    engine = config.get("ENGINE", "")
    if engine.endswith("sqlite3"):
        # Write-ahead logging lets polls read while a worker writes. FULL: an accepted photo survives
        # a power cut. IMMEDIATE: two writers queue at BEGIN instead of failing at their first write. Secure: what is
        # deleted is overwritten, while the file would keep it until its page is needed.
        config["OPTIONS"] = {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;",
        }
        config["CONN_MAX_AGE"] = 600
    elif engine.endswith(("postgresql", "psycopg2")):
        config["ENGINE"] = "backend.config.postgresql"
        config["PASSWORD"] = config.get("PASSWORD") or text("DATABASE_PASSWORD", "")
        given = config.get("OPTIONS", {})
        # A process that is frozen in the middle of a transaction keeps its row locks and holds up the reaper:
        # the server ends such a session, and the late attempt writes nothing.
        frozen = f"-c idle_in_transaction_session_timeout={int(transaction_seconds * 1000)}"
        config["OPTIONS"] = {
            **given,
            "options": f"{given.get('options', '')} {frozen}".strip(),
            "connect_timeout": 5,
            # A host that is cut off learns of it in such a time, and not in the quarter of an hour that TCP takes.
            "tcp_user_timeout": int(transaction_seconds * 1000),
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "prepare_threshold": 0,  # For `prepared_cursor`.
            "pool": {
                "min_size": 1,
                "max_size": integer("DATABASE_POOL", 16, least=1, most=200),
                "timeout": 10,
            },
        }
    else:
        raise ImproperlyConfigured(f"{PREFIX}DATABASE_URL names no SQLite or PostgreSQL database: {url.split('@')[-1]}")
    return config


def broker(default: str) -> str:
    """`SCALP_BROKER_URL`: `redis://`, which is Valkey's as well, or `amqp://` for RabbitMQ; with an s where TLS is."""
    url = text("BROKER_URL", default)
    if urlsplit(url).scheme not in {"redis", "rediss", "amqp", "amqps"}:
        raise ImproperlyConfigured(f"{PREFIX}BROKER_URL names no Redis, Valkey or RabbitMQ: {url.split('@')[-1]}")
    return url


def traces() -> bool:
    """Whether spans are wanted and can be had, by the variables that every program with OpenTelemetry obeys.

    Those have no prefix of ours; what else there is of them, the SDK reads itself.
    """
    collector = _of_opentelemetry("EXPORTER_OTLP_TRACES_ENDPOINT", "EXPORTER_OTLP_ENDPOINT")
    if not collector or _of_opentelemetry("SDK_DISABLED") == "true" or _of_opentelemetry("TRACES_EXPORTER") == "none":
        return False
    protocol = _of_opentelemetry("EXPORTER_OTLP_TRACES_PROTOCOL", "EXPORTER_OTLP_PROTOCOL")
    if protocol not in {"", "http/protobuf"}:
        raise ImproperlyConfigured(
            f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol!r}: write http/protobuf and the collector's port for that, "
            "mostly 4318."
        )
    try:
        find_spec("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    except ModuleNotFoundError:
        raise ImproperlyConfigured(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, and what traces need is not installed: "
            "pip install -r requirements/tracing.txt, or unset it."
        ) from None
    return True


def _of_opentelemetry(*names: str) -> str:
    """The first of these variables that says something."""
    said = (os.environ.get(f"OTEL_{name}", "").strip().lower() for name in names)
    return next(filter(None, said), "")


def storage(var: Path, *, answer_seconds: float) -> dict[str, Any]:
    """Django's storage settings from `SCALP_STORAGE_URL`: `file:///folder` or `s3://bucket/prefix?endpoint_url=…`.

    The URL of a bucket may say `endpoint_url`, `region_name`, `addressing_style` (path, the default where there is an
    endpoint of one's own, virtual or auto) and `verify` (a file of certificates to trust). Its keys come from
    `SCALP_STORAGE_ACCESS_KEY` and `SCALP_STORAGE_SECRET_KEY`, or else from where boto3 looks, which knows the roles of
    machines and pods. `answer_seconds` is how long one answer of it is waited for.
    """
    url = text("STORAGE_URL", f"file://{var / 'photos'}")
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path:
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {
                "location": parts.path,
                "file_permissions_mode": 0o600,
                "directory_permissions_mode": 0o700,
            },
        }
    if parts.scheme == "s3" and parts.netloc and "@" not in parts.netloc:
        given = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        if unknown := given.keys() - {"endpoint_url", "region_name", "addressing_style", "verify"}:
            # Perhaps a secret that belongs elsewhere, so its value is not printed.
            raise ImproperlyConfigured(
                f"{PREFIX}STORAGE_URL says {', '.join(sorted(unknown))}, which is not known: endpoint_url, "
                f"region_name, addressing_style and verify are. Keys belong in {PREFIX}STORAGE_ACCESS_KEY and "
                f"{PREFIX}STORAGE_SECRET_KEY."
            )
        access_key, secret_key = text("STORAGE_ACCESS_KEY", ""), text("STORAGE_SECRET_KEY", "")
        if bool(access_key) != bool(secret_key):
            raise ImproperlyConfigured(f"{PREFIX}STORAGE_ACCESS_KEY and _SECRET_KEY come together or not at all.")
        addressing = given.pop("addressing_style", "path" if "endpoint_url" in given else "auto")
        return {
            "BACKEND": "backend.config.bucket.Bucket",
            "OPTIONS": {
                "bucket_name": parts.netloc,
                "location": parts.path.strip("/"),
                "access_key": access_key or None,
                "secret_key": secret_key or None,
                "client_config": bucket_client(answer_seconds, addressing),
                **given,
            },
        }
    raise ImproperlyConfigured(
        f"{PREFIX}STORAGE_URL is {url.split('@')[-1]!r}: write file:///folder or s3://bucket/prefix."
    )


def bucket_client(answer_seconds: float, addressing_style: str) -> Any:
    """botocore's settings, in which it asks twice and not five times, and waits no minute for each answer."""
    from botocore.config import Config  # Half a second to import, for nothing where photos are in a folder.

    return Config(
        connect_timeout=min(2.0, answer_seconds),
        read_timeout=answer_seconds,
        retries={"total_max_attempts": 2, "mode": "standard"},
        max_pool_connections=64,
        signature_version="s3v4",
        s3={"addressing_style": addressing_style},
        # Checksums in trailers, the default since botocore 1.36, are not known to every server that speaks S3.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
