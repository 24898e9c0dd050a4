"""/internal/staff/: the proxy asks here whether to admit a request to Flower."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from structlog.testing import capture_logs

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ({"is_staff": True}, 403),
        ({"is_staff": True, "is_superuser": True}, 204),
        ({"is_staff": False}, 401),
        ({"is_staff": False, "is_superuser": True}, 401),
        ({"is_staff": True, "is_active": False}, 401),
    ],
)
def test_staff_may_enter_and_nobody_else(client: Client, who: dict[str, bool], status: int) -> None:
    client.force_login(get_user_model().objects.create_user("somebody", **who))
    answer = client.get("/internal/staff/")
    assert (answer.status_code, answer.content) == (status, b"")


def test_staff_who_may_see_analyses_may_enter_and_that_is_logged(client: Client) -> None:
    user = get_user_model().objects.create_user("somebody", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_analysis"))
    client.force_login(user)
    with capture_logs() as logged:
        answer = client.get("/internal/staff/", headers={"X-Original-URI": "/flower/tasks?limit=5"})
    assert answer.status_code == 204
    assert {"event": "flower_requested", "staff": user.pk, "page": "/flower/tasks", "allowed": True} == {
        key: value for key, value in logged[-1].items() if key != "log_level"
    }


def test_somebody_unknown_may_not(client: Client) -> None:
    assert client.get("/internal/staff/").status_code == 401
    client.cookies["sessionid"] = "made-up"
    assert client.get("/internal/staff/").status_code == 401


def test_the_answer_is_not_kept(client: Client) -> None:
    assert "no-store" in client.get("/internal/staff/")["Cache-Control"]
