"""/admin/login/: guessing passwords is throttled."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from django.contrib.auth import get_user_model
from django.test import Client

from backend.operations.login_throttle import COOKIE

pytestmark = [pytest.mark.database, pytest.mark.django_db, pytest.mark.usefixtures("plain_static")]

LOGIN = "/admin/login/?next=/admin/"
PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def few(settings: Any, broker: redis.Redis) -> None:
    """Allow 3 tries per minute. Of 7 tries, one minute always has more than 3."""
    settings.LOGINS_PER_MINUTE = 3
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # A real one takes its time.


@pytest.fixture
def guesser() -> Client:
    return Client(headers={"Accept-Language": "en"})


def guess(browser: Client, name: str = "admin", address: str = "10.0.0.1", password: str = "wrong") -> Any:
    return browser.post(LOGIN, {"username": name, "password": password}, REMOTE_ADDR=address)


def test_the_first_tries_are_looked_at_and_the_right_password_opens(guesser: Client) -> None:
    get_user_model().objects.create_superuser("admin", password=PASSWORD)
    assert guess(guesser).status_code == 200
    entered = guess(guesser, password=PASSWORD)
    assert (entered.status_code, entered["Location"]) == (302, "/admin/")


def test_one_address_that_guesses_many_names_is_stopped(guesser: Client) -> None:
    answers = [guess(guesser, name=f"name-{n}").status_code for n in range(7)]
    assert answers[0] == 200
    assert 429 in answers
    assert guess(guesser, name="another", address="10.0.0.2").status_code == 200


def test_one_name_that_many_addresses_guess_is_closed_for_a_while(guesser: Client) -> None:
    get_user_model().objects.create_superuser("admin", password=PASSWORD)
    # Spelled as Django reads as the same name.
    names = ["admin", " admin", "ａｄｍｉｎ", "admin ", "admin", "admin", "admin"]
    answers = [guess(guesser, name=name, address=f"10.0.1.{n}") for n, name in enumerate(names)]
    stopped = [answer for answer in answers if answer.status_code == 429]
    assert answers[0].status_code == 200
    assert stopped
    assert 1 <= int(stopped[0]["Retry-After"]) <= 60
    assert "too many tries to log in" in stopped[0].text


def test_somebody_stopped_does_not_get_in_with_the_right_password_either(guesser: Client) -> None:
    get_user_model().objects.create_superuser("admin", password=PASSWORD)
    answers = []
    for _ in range(2):  # Twice, since a minute may end in between.
        answers += [guess(guesser).status_code for _ in range(4)]
        answers += [guess(guesser, password=PASSWORD).status_code]
    assert 429 in {answers[4], answers[9]}


def tried(browser: Client, times: int, **how: str) -> set[int]:
    return {guess(browser, **how).status_code for _ in range(times)}


def test_guessing_does_not_lock_an_admin_out_of_a_known_browser(guesser: Client) -> None:
    get_user_model().objects.create_superuser("admin", password=PASSWORD)
    known = Client(headers={"Accept-Language": "en"})
    assert guess(known, password=PASSWORD).status_code == 302
    known.post("/admin/logout/")
    for minute in range(3):
        assert 429 in tried(guesser, 8, address=f"10.0.3.{minute}")
        assert guess(known, address=f"10.0.3.{minute}", password=PASSWORD).status_code == 302


def test_a_known_browser_has_a_count_of_its_own(guesser: Client) -> None:
    get_user_model().objects.create_superuser("admin", password=PASSWORD)
    known = Client(headers={"Accept-Language": "en"})
    guess(known, password=PASSWORD)
    known.post("/admin/logout/")
    assert 429 in tried(known, 8)
    assert guess(guesser, address="10.0.4.1").status_code == 200  # Its tries were not those of the name.


def test_a_browser_is_known_only_for_the_name_it_logged_in_with(guesser: Client) -> None:
    for name in ("admin", "helper"):
        get_user_model().objects.create_superuser(name, password=PASSWORD)
    known = Client(headers={"Accept-Language": "en"})
    assert guess(known, name="helper", password=PASSWORD).status_code == 302
    guess(known, name="admin")  # While it is logged in as another one.
    answers: set[int] = set()
    for _ in range(2):  # Twice, since a minute may end in between.
        assert 429 in tried(guesser, 8, address="10.0.5.1")
        answers |= tried(known, 1, address="10.0.5.2")
    assert 429 in answers


@pytest.mark.parametrize("cookie", ["", "nonsense", "W10:1:1", "e30:1tYxyz:AAAA", "\xff", "." * 4000])
def test_a_cookie_that_we_did_not_sign_is_none(guesser: Client, cookie: str) -> None:
    assert guess(guesser).status_code == 200
    guesser.cookies[COOKIE] = cookie
    assert 429 in tried(guesser, 8)


def test_the_cookie_is_for_the_login_alone_and_no_script_reads_it(guesser: Client, settings: Any) -> None:
    settings.HTTPS = True
    get_user_model().objects.create_superuser("admin", password=PASSWORD)
    cookie = guess(guesser, password=PASSWORD).cookies[COOKIE]
    assert (cookie["path"], cookie["samesite"]) == ("/admin/login/", "Strict")
    assert cookie["httponly"]
    assert cookie["secure"]


def test_somebody_stopped_is_offered_to_try_again_and_not_to_send_a_photo(guesser: Client) -> None:
    stopped = [answer for answer in (guess(guesser) for _ in range(8)) if answer.status_code == 429]
    main = stopped[0].text[stopped[0].text.index("<main") :]
    assert f'href="{LOGIN}"' in main
    assert "Try once more" in main
    assert "Send a photo" not in main


def test_staff_stay_in_the_admin_after_an_expired_form_or_a_missing_row(admin: Client) -> None:
    admin.handler.enforce_csrf_checks = True
    stale, nowhere = admin.post(LOGIN), admin.get("/admin/nowhere/")
    for page, status, way in ((stale, 403, "Try once more"), (nowhere, 404, "Back to the admin")):
        main = page.text[page.text.index("<main") :]
        assert page.status_code == status
        assert way in main
        assert "Send a photo" not in main


def test_looking_at_the_form_is_no_try(guesser: Client) -> None:
    assert {guesser.get(LOGIN).status_code for _ in range(8)} == {200}


def test_neither_names_nor_addresses_are_stored(guesser: Client, broker: redis.Redis) -> None:
    guess(guesser, name="somebody", address="10.0.0.1")
    keys = [key.decode() for key in broker.scan_iter("logins:*")]
    assert len(keys) == 2
    assert not any("somebody" in key or "10.0" in key for key in keys)


def test_a_broker_that_is_away_keeps_no_admin_out(guesser: Client, settings: Any) -> None:
    settings.CELERY_BROKER_URL = "memory://"
    assert {guess(guesser).status_code for _ in range(8)} == {200}
