"""A new secret key: people who are logged in stay so for as long as the former key counts."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

STRONG = "another key for tests, long enough and used for nothing else"

pytestmark = [pytest.mark.database, pytest.mark.django_db, pytest.mark.usefixtures("plain_static")]


def test_a_session_outlives_the_key_that_it_was_made_under(settings: Any, admin_client: Client) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = STRONG
    assert admin_client.get("/admin/").status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert admin_client.get("/admin/").status_code == 200  # It was signed again at the visit before.


def test_without_the_former_key_everybody_logs_in_anew(settings: Any, admin_client: Client) -> None:
    settings.SECRET_KEY = STRONG
    assert admin_client.get("/admin/").status_code == 302


def test_a_former_key_does_not_sign_anything_new(settings: Any, client: Client, admin_user: Any) -> None:
    former, settings.SECRET_KEY = settings.SECRET_KEY, STRONG
    settings.SECRET_KEY_FALLBACKS = [former]
    client.force_login(admin_user)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = former, []
    assert client.get("/admin/").status_code == 302
