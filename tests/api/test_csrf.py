"""No form of another site is taken anywhere: every address is tried, with the cookies of an admin."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from backend.analyses.models import Analysis, Erasure
from tests.support.analyses import queued, succeeded

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static")]

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
VALUES = {"uuid": str(uuid.UUID(int=1)), "slug": "dandruff", "int": "1", "path": "1", "str": "1"}


def addresses(patterns: list[Any], before: str = "/") -> Iterator[str]:
    """Every address that there is, with a value for each of its parameters."""
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and "(?P" not in route:
            yield re.sub(r"<(?:(\w+):)?\w+>", lambda match: VALUES[match[1] or "str"], route)


PATHS = sorted(set(addresses(get_resolver(settings.ROOT_URLCONF).url_patterns)))


def test_the_addresses_are_those_of_the_service() -> None:
    assert len(PATHS) > 60
    assert {"/", "/i18n/setlang/", "/admin/login/", "/admin/analyses/analysis/", "/api/v1/queue/"} <= set(PATHS)
    assert f"/analyses/{VALUES['uuid']}/erase/" in PATHS


@pytest.mark.parametrize("path", [path for path in PATHS if not path.startswith("/api/")])
def test_without_the_token_of_a_form_nothing_is_taken(path: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(get_user_model().objects.create_superuser("admin"))
    for method in UNSAFE:
        answer = browser.generic(method, path, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403, method


def test_the_api_ignores_cookies_so_no_other_site_can_act_for_a_user() -> None:
    assert settings.REST_FRAMEWORK["DEFAULT_AUTHENTICATION_CLASSES"] == []
    assert settings.SESSION_COOKIE_SAMESITE == settings.CSRF_COOKIE_SAMESITE == "Lax"
    staff = Client()
    staff.force_login(get_user_model().objects.create_superuser("admin"))
    assert staff.get("/api/v1/analyses/").status_code == 405


@pytest.mark.parametrize("path", [path for path in PATHS if path.startswith("/api/")])
def test_no_address_of_the_api_lets_a_browser_of_another_site_read_or_ask(path: str) -> None:
    answer = Client().options(
        path, headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "DELETE"}
    )
    assert not [name for name in answer.headers if name.startswith("Access-Control-")]


# Ids as capabilities


def test_an_id_can_not_be_guessed() -> None:
    ids = [queued().pk for _ in range(20)]
    assert {(one.version, one.variant) for one in ids} == {(4, uuid.RFC_4122)}
    assert len({one.bytes[:4] for one in ids}) == len(ids)


def test_a_wrong_id_answers_like_an_unknown_one_and_nothing_is_listed(client: Client) -> None:
    analysis = succeeded()
    near = uuid.UUID(int=analysis.pk.int ^ 1)
    foreign, unknown = (client.get(f"/api/v1/analyses/{one}/") for one in (near, uuid.uuid4()))
    assert foreign.status_code == unknown.status_code == 404
    assert {**foreign.json(), "instance": ""} == {**unknown.json(), "instance": ""}
    differing = {"X-Request-ID"}
    assert {k: v for k, v in foreign.headers.items() if k not in differing} == {
        k: v for k, v in unknown.headers.items() if k not in differing
    }
    assert not Erasure.objects.exists()
    assert Analysis.objects.count() == 1
    for path in ("/api/v1/analyses/", "/analyses/", "/shared/"):
        assert client.get(path).status_code in {404, 405}, path
    assert str(analysis.pk) not in client.get("/api/v1/").text
