"""The audit log of staff: who did what, when, on which row, and never what the row contained.

Entries go to the log of Django's admin, which stores the id of a row as text and so outlives the row, and to the
service's logs, which can't be changed through the database.
"""

from __future__ import annotations

from typing import Any

import structlog
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

log = structlog.get_logger(__name__)


def log_staff_action(
    user: Any, action: str, model: type[Model], row: object = "", *, erases: bool = False, **counts: int
) -> None:
    """Record that `user` did `action` on the row of `model` with the id `row`."""
    LogEntry.objects.create(
        user_id=user.pk,
        content_type=ContentType.objects.get_for_model(model),
        object_id=str(row),
        object_repr=str(row),
        action_flag=DELETION if erases else CHANGE,
        change_message=" ".join([action, *(f"{name}={count}" for name, count in counts.items())]),
    )
    log.info("staff_action", staff=user.pk, action=action, model=model._meta.label_lower, row=str(row), **counts)


def _log_login(sender: Any, user: Any, **_: Any) -> None:
    log_staff_action(user, "log in", get_user_model(), user.pk)


def _log_logout(sender: Any, user: Any, **_: Any) -> None:
    if user is not None:
        log_staff_action(user, "log out", get_user_model(), user.pk)


def _log_failed_login(sender: Any, credentials: dict[str, Any], **_: Any) -> None:
    """Log an attempt for an existing user. Other names are not logged, as they may be passwords."""
    users = get_user_model()
    user = users._default_manager.filter(**{users.USERNAME_FIELD: credentials.get("username", "")}).first()
    if user is None:
        log.warning("login_failed_unknown_user")
    else:
        log_staff_action(user, "fail to log in", users, user.pk)


def connect_login_signals() -> None:
    """Log logins, logouts and failed logins."""
    for signal, receiver in (
        (user_logged_in, _log_login),
        (user_logged_out, _log_logout),
        (user_login_failed, _log_failed_login),
    ):
        signal.connect(receiver, dispatch_uid=receiver.__qualname__)
