"""Receive a photo with its answers: check, clean, store, commit, enqueue."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backend.analyses.counters import QUEUE_FULL, SUBMITTED
from backend.analyses.errors import IdempotencyKeyInvalid, IdempotencyKeyReused, QueueFull, StorageUnavailable
from backend.analyses.models import Age, Analysis, Device, Sex
from backend.analyses.photos import photo_clean
from backend.analyses.selectors.queue import queue_outlook
from backend.analyses.services.enqueueing import analysis_enqueue
from backend.config.errors import FieldError, InvalidFields
from backend.operations.tracing import span, traceparent

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Answers:
    """Validated answers."""

    sex: Sex
    age: Age
    device: Device | None


def answers_check(given: Mapping[str, Any], *, photo: bytes | None) -> Answers:
    """The answers as enumerations. Raises InvalidFields that lists every invalid field."""
    errors: list[FieldError] = []
    if photo is None:
        errors.append(FieldError("photo", "required", _("Please choose a photo.")))
    if given.get("sex") not in Sex.values:
        errors.append(FieldError("sex", "unknown_choice", _("Please choose your sex, or “rather not say”.")))
    if given.get("age") not in Age.values:
        errors.append(FieldError("age", "unknown_choice", _("Please choose your age group. The youngest is 14 to 19.")))
    if given.get("device") and given["device"] not in Device.values:
        errors.append(FieldError("device", "unknown_choice", _("Please choose scalp scope or phone.")))
    if str(given.get("consent", "")).lower() not in {"true", "on", "1", "yes"}:
        errors.append(
            FieldError(
                "consent",
                "required",
                _("Without your consent we may not analyze the photo, so nothing was stored."),
            )
        )
    if errors:
        raise InvalidFields(_("Some answers are missing or not valid. Nothing was stored."), errors)
    device = given.get("device")
    return Answers(Sex(given["sex"]), Age(given["age"]), Device(device) if device else None)


#: How long a key is remembered. It is not bound to the sender's address, which changes when a phone leaves its Wi-Fi
#: and tries again; so clients should send random keys.
IDEMPOTENCY_KEY_EXPIRES = timedelta(days=1)


def analysis_submit(given: Mapping[str, Any], *, photo: bytes | None, idempotency_key: str | None = None) -> Analysis:
    """Accept a photo (as uploaded) with its answers; when this returns, the row is committed.

    The same key with the same content returns the existing analysis for a day. Raises InvalidFields, PhotoRefused,
    QueueFull, StorageUnavailable, IdempotencyKeyReused or IdempotencyKeyInvalid; then neither row nor file is
    left behind.
    """
    answers = answers_check(given, photo=photo)
    assert photo is not None
    key = _key_digest(idempotency_key)
    fingerprint = _fingerprint(photo, answers)
    if key and (existing := _existing_analysis(key, fingerprint)):
        return existing
    outlook = queue_outlook()
    if not outlook.accepting:
        QUEUE_FULL.inc()
        raise QueueFull(outlook.retry_after)

    with span("clean photo"):
        clean = photo_clean(photo)
    analysis_id = uuid.uuid4()
    now = timezone.now()
    name = _store_photo(f"{analysis_id.hex}.jpg", clean.jpeg)
    written = False
    try:
        with transaction.atomic():
            analysis = Analysis.objects.create(
                id=analysis_id,
                photo=name,
                sex=answers.sex,
                age=answers.age,
                device=answers.device or "",
                consented_at=now,
                idempotency_key=key,
                fingerprint=fingerprint,
                created_at=now,
                queued_at=now,
                purge_at=now + timedelta(hours=settings.RETENTION_HOURS),
                traceparent=traceparent(),
            )
            # Robust: a failure to enqueue must not look like a failure to store.
            transaction.on_commit(lambda: analysis_enqueue(analysis_id), robust=True)
            written = True
    except IntegrityError:
        # Another request with the same key was faster.
        default_storage.delete(name)
        if key and (existing := _existing_analysis(key, fingerprint)):
            return existing
        raise
    except (OperationalError, InterfaceError):
        # If the connection breaks at the commit, the row may or may not exist. If that cannot be read either, this
        # raises and the photo stays; the purge deletes it later if it has no row.
        if written and (committed := Analysis.objects.filter(pk=analysis_id).first()):
            return committed
        default_storage.delete(name)
        raise
    except BaseException:
        default_storage.delete(name)
        raise
    SUBMITTED.inc()
    log.info("analysis_submitted", analysis=str(analysis_id))
    return analysis


def _store_photo(name: str, jpeg: bytes) -> str:
    """Store a photo and return its name in storage. Raises StorageUnavailable for any error of the storage."""
    try:
        return default_storage.save(name, ContentFile(jpeg))
    except Exception as error:
        log.error("storage_unavailable", cause=repr(error))
        # If the disk was full, part of the file may have been written.
        with suppress(Exception):
            default_storage.delete(name)
        raise StorageUnavailable from error


def _key_digest(key: str | None) -> str | None:
    if key is None:
        return None
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        raise IdempotencyKeyInvalid
    return hashlib.sha256(key.encode()).hexdigest()


def _fingerprint(photo: bytes, answers: Answers) -> str:
    text = f"{answers.sex}|{answers.age}|{answers.device or ''}|"
    return hashlib.sha256(text.encode() + photo).hexdigest()


def _existing_analysis(key: str, fingerprint: str) -> Analysis | None:
    existing = Analysis.objects.filter(idempotency_key=key).first()
    if existing and existing.created_at < timezone.now() - IDEMPOTENCY_KEY_EXPIRES:
        Analysis.objects.filter(pk=existing.pk, idempotency_key=key).update(idempotency_key=None)
        return None
    if existing and existing.fingerprint != fingerprint:
        raise IdempotencyKeyReused
    return existing
