"""Reads settings from the environment, prefix `SCALP_`, and refuses invalid values with a sentence.

Any `SCALP_X` may also come as `SCALP_X_FILE`, the path of a file that contains the value, which is how container
secrets are mounted. All helpers raise ImproperlyConfigured, so a misconfigured process does not start.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

PREFIX = "SCALP_"

Value = TypeVar("Value", int, float)


def text(name: str, default: str) -> str:
    """The value as it stands, without surrounding blanks. The file of `SCALP_X_FILE` comes before `SCALP_X`."""
    if file := os.environ.get(f"{PREFIX}{name}_FILE"):
        try:
            return Path(file).read_text().strip()
        except (OSError, ValueError) as error:
            raise ImproperlyConfigured(f"{PREFIX}{name}_FILE: {file} cannot be read: {error}.") from None
    return os.environ.get(PREFIX + name, default).strip()


def is_given(name: str) -> bool:
    return f"{PREFIX}{name}" in os.environ or bool(os.environ.get(f"{PREFIX}{name}_FILE"))


def url(name: str, default: str) -> str:
    """An address. What may be part of a password in it is never printed."""
    value = text(name, default)
    try:
        parts = urlsplit(value)
        sound = not parts.fragment and (parts.port or True)
    except ValueError:
        sound = False
    if not sound:
        raise ImproperlyConfigured(
            f"{PREFIX}{name} is not a valid URL. Percent-encode what has a meaning in URLs (# as %23, / as %2F,"
            " ? as %3F, @ as %40, [ as %5B, % as %25) in its name and password."
        ) from None
    return value


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
        raise ImproperlyConfigured(f"{PREFIX}{name} is {raw!r}: it must be a number.") from None
    if not least <= value <= most:
        raise ImproperlyConfigured(f"{PREFIX}{name} is {raw}: it must be between {least:g} and {most:g}.")
    return value


def integer(name: str, default: int, *, least: int, most: int) -> int:
    value = number(name, default, least=least, most=most)
    if not value.is_integer():
        raise ImproperlyConfigured(f"{PREFIX}{name} is {value:g}: it must be a whole number.")
    return int(value)


def unless_auto(read: Callable[..., Value], name: str, *, least: float, most: float) -> Value | None:
    """The value that `read`, one of the above, returns; None for `auto`, the default: chosen at the start."""
    if text(name, "auto").lower() == "auto":
        return None
    try:
        return read(name, least, least=least, most=most)
    except ImproperlyConfigured as error:
        raise ImproperlyConfigured(f"{error} Or write auto.") from None


def folder(name: str, default: Path) -> Path:
    return Path(text(name, str(default))).expanduser().absolute()


def secret_key(var: Path) -> str:
    """`SCALP_SECRET_KEY`, or else the key in `var/secret-key`, which is generated at the first start."""
    key = text("SECRET_KEY", "")
    if not key:
        kept = var / "secret-key"
        if not kept.exists():
            var.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = var / f".secret-key-{secrets.token_hex(8)}"
            fresh.touch(mode=0o600)
            fresh.write_text(secrets.token_urlsafe(64))
            try:
                kept.hardlink_to(fresh)  # If two processes start at once, one key wins.
            except FileExistsError:
                pass
            except OSError:  # Some file systems have no hard links, such as exFAT and many network shares.
                fresh.replace(kept)
            finally:
                fresh.unlink(missing_ok=True)
        key = kept.read_text().strip()
    _refuse_weak("SECRET_KEY", key)
    return key


def former_secret_keys() -> list[str]:
    """`SCALP_SECRET_KEY_FALLBACKS`: old keys whose signatures are still accepted after a key rotation."""
    keys = words("SECRET_KEY_FALLBACKS", "")
    for key in keys:
        _refuse_weak("SECRET_KEY_FALLBACKS", key)
    return keys


def _refuse_weak(name: str, key: str) -> None:
    # Django's project template marks its development keys, which are often committed.
    if len(key) < 32 or len(set(key)) < 8 or key.startswith("django-insecure-"):
        raise ImproperlyConfigured(
            f"{PREFIX}{name} is too weak: use at least 32 random characters, for example from "
            "`python -c 'import secrets; print(secrets.token_urlsafe(64))'`."
        )


def database(var: Path, *, transaction_seconds: float) -> dict[str, Any]:
    """Django's database settings from `SCALP_DATABASE_URL` and, if the URL has no password, `SCALP_DATABASE_PASSWORD`.

    PostgreSQL ends a session whose transaction has been idle for `transaction_seconds`.
    """
    address = url("DATABASE_URL", "")
    by_url = is_given("DATABASE_URL")
    # A path cannot be put into a URL as it is: a folder's name may have any character.
    config: dict[str, Any] = (
        dict(environ.Env.db_url_config(address))
        if by_url
        else {"ENGINE": "django.db.backends.sqlite3", "NAME": str(var / "db.sqlite3")}
    )
    engine = config.get("ENGINE", "")
    if engine.endswith("sqlite3"):
        # Write-ahead logging lets polls read while a worker writes. FULL: an accepted photo survives a power cut.
        # IMMEDIATE: two writers queue at BEGIN instead of failing at their first write. secure_delete: deleted content
        # is overwritten at once instead of when its page is reused.
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
        # A process that freezes during a transaction would keep its row locks and block the reaper: the server ends
        # such a session, and the late attempt writes nothing.
        frozen = f"-c idle_in_transaction_session_timeout={int(transaction_seconds * 1000)}"
        config["OPTIONS"] = {
            **given,
            "options": f"{given.get('options', '')} {frozen}".strip(),
            "connect_timeout": 5,
            # A host that loses its network notices within this time instead of TCP's 15 minutes.
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
        raise ImproperlyConfigured(f"{PREFIX}DATABASE_URL is not a SQLite or PostgreSQL URL: {address.split('@')[-1]}")
    return config


def broker(default: str) -> str:
    """`SCALP_BROKER_URL`: `redis://`, also for Valkey, or `amqp://` for RabbitMQ; with TLS `rediss://` or `amqps://`."""
    address = url("BROKER_URL", default)
    if urlsplit(address).scheme not in {"redis", "rediss", "amqp", "amqps"}:
        raise ImproperlyConfigured(
            f"{PREFIX}BROKER_URL is not a Redis, Valkey or RabbitMQ URL: {address.split('@')[-1]}"
        )
    return address


def traces() -> bool:
    """Whether tracing is enabled and its packages are installed, by OpenTelemetry's standard variables.

    They have no `SCALP_` prefix; the SDK reads the others itself.
    """
    collector = _otel("EXPORTER_OTLP_TRACES_ENDPOINT", "EXPORTER_OTLP_ENDPOINT")
    if not collector or _otel("SDK_DISABLED") == "true" or _otel("TRACES_EXPORTER") == "none":
        return False
    protocol = _otel("EXPORTER_OTLP_TRACES_PROTOCOL", "EXPORTER_OTLP_PROTOCOL")
    if protocol not in {"", "http/protobuf"}:
        raise ImproperlyConfigured(
            f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol!r}: set http/protobuf and the collector's port for it, "
            "usually 4318."
        )
    try:
        find_spec("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    except ModuleNotFoundError:
        raise ImproperlyConfigured(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but the packages for tracing are not installed: "
            "pip install -r requirements/tracing.txt, or unset it."
        ) from None
    return True


def _otel(*names: str) -> str:
    """The first of these variables that is not empty."""
    values = (os.environ.get(f"OTEL_{name}", "").strip().lower() for name in names)
    return next(filter(None, values), "")


def storage(var: Path, *, answer_seconds: float) -> dict[str, Any]:
    """Django's storage settings from `SCALP_STORAGE_URL`: `file:///folder` or `s3://bucket/prefix?endpoint_url=…`.

    The query of a bucket URL may set `endpoint_url`, `region_name`, `addressing_style` (path, the default with an
    `endpoint_url`, virtual or auto) and `verify` (a file of trusted certificates). The keys come from
    `SCALP_STORAGE_ACCESS_KEY` and `SCALP_STORAGE_SECRET_KEY`, or else from boto3's usual sources, which include the
    roles of machines and pods. `answer_seconds` is the read timeout of a request to the bucket.
    """
    address = url("STORAGE_URL", "")
    by_url = is_given("STORAGE_URL")
    parts = urlsplit(address)
    if not by_url or (parts.scheme == "file" and parts.path and not parts.netloc):
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {
                "location": unquote(parts.path) if by_url else str(var / "photos"),
                "file_permissions_mode": 0o600,
                "directory_permissions_mode": 0o700,
            },
        }
    if parts.scheme == "s3" and parts.netloc and "@" not in parts.netloc:
        given = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        if unknown := given.keys() - {"endpoint_url", "region_name", "addressing_style", "verify"}:
            # The value may be a secret in the wrong place, so it is not printed.
            raise ImproperlyConfigured(
                f"{PREFIX}STORAGE_URL has unknown options ({', '.join(sorted(unknown))}): only endpoint_url, "
                f"region_name, addressing_style and verify are allowed. Keys belong in {PREFIX}STORAGE_ACCESS_KEY and "
                f"{PREFIX}STORAGE_SECRET_KEY."
            )
        access_key, secret_key = text("STORAGE_ACCESS_KEY", ""), text("STORAGE_SECRET_KEY", "")
        if bool(access_key) != bool(secret_key):
            raise ImproperlyConfigured(
                f"{PREFIX}STORAGE_ACCESS_KEY and _SECRET_KEY need each other: set both or neither."
            )
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
        f"{PREFIX}STORAGE_URL is {address.split('@')[-1]!r}: write file:///folder or s3://bucket/prefix."
    )


def bucket_client(answer_seconds: float, addressing_style: str) -> Any:
    """botocore's configuration: two attempts instead of five, and shorter timeouts than a minute."""
    from botocore.config import Config  # Takes half a second to import, which a storage folder does not need.

    return Config(
        connect_timeout=min(2.0, answer_seconds),
        read_timeout=answer_seconds,
        retries={"total_max_attempts": 2, "mode": "standard"},
        max_pool_connections=64,
        signature_version="s3v4",
        s3={"addressing_style": addressing_style},
        # Not every S3-compatible server supports checksums in trailers, the default since botocore 1.36.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
