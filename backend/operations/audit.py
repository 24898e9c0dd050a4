"""What staff did, for whoever has to answer for it: who, when, what, on which row. Never what the row said.

It is kept in the log of Django's admin, which holds a row's id as text, so it outlives the row; and each entry is a
line of our own logs as well, where nobody with a way to the database can take it back.
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


def act_note(user: Any, act: str, model: type[Model], row: object = "", *, erases: bool = False, **more: int) -> None:
    """Note that `user` did `act`, a word, on the row of `model` with the id `row`; `more` are counts."""
    LogEntry.objects.create(
        user_id=user.pk,
        content_type=ContentType.objects.get_for_model(model),
        object_id=str(row),
        object_repr=str(row),
        action_flag=DELETION if erases else CHANGE,
        change_message=" ".join([act, *(f"{name}={count}" for name, count in more.items())]),
    )
    log.info("staff_action", staff=user.pk, action=act, model=model._meta.label_lower, row=str(row), **more)


def _logged_in(sender: Any, user: Any, **_: Any) -> None:
    act_note(user, "log in", get_user_model(), user.pk)


def _logged_out(sender: Any, user: Any, **_: Any) -> None:
    if user is not None:
        act_note(user, "log out", get_user_model(), user.pk)


def _login_failed(sender: Any, credentials: dict[str, Any], **_: Any) -> None:
    """A try with the name of somebody stands with them. Of other names nothing is kept: they may be passwords."""
    users = get_user_model()
    user = users._default_manager.filter(**{users.USERNAME_FIELD: credentials.get("username", "")}).first()
    if user is None:
        log.warning("login_failed_unknown_user")
    else:
        act_note(user, "fail to log in", users, user.pk)


def logins_note() -> None:
    """Note logins from now on."""
    for signal, note in (
        (user_logged_in, _logged_in),
        (user_logged_out, _logged_out),
        (user_login_failed, _login_failed),
    ):
        signal.connect(note, dispatch_uid=note.__qualname__)
