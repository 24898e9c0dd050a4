"""Settings come from the environment, and a process with nonsense in it says so and does not start."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from backend.config import environment
from backend.config.safety_checks import refuse_unsafe_settings
from tests.support.environment import ROOT

STRONG = "".join(chr(ord("a") + n % 26) for n in range(50))


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets variables of the environment, with the prefix."""
    for name in ("SECRET_KEY", "DATABASE_URL", "STORAGE_URL", "BROKER_URL"):
        monkeypatch.delenv(f"SCALP_{name}", raising=False)

    def give(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"SCALP_{name}", value)

    return give


# Plain values


@pytest.mark.parametrize(
    ("raw", "value"),
    [*((raw, True) for raw in ("1", "true", "TRUE", " on ")), *((raw, False) for raw in ("0", "false", "No", " off "))],
)
def test_a_flag_is_read(given: Any, raw: str, value: bool) -> None:
    given(FLAG=raw)
    assert environment.flag("FLAG", not value) is value


@pytest.mark.parametrize("raw", ["", "maybe", "2", "tru", "참"])
def test_a_flag_that_is_nonsense_is_refused(given: Any, raw: str) -> None:
    given(FLAG=raw)
    with pytest.raises(ImproperlyConfigured, match=r"SCALP_FLAG is .*: write true or false\."):
        environment.flag("FLAG", True)


@pytest.mark.parametrize(("raw", "value"), [("3", 3.0), ("0.5", 0.5), ("1e1", 10.0), (" 7 ", 7.0)])
def test_a_number_is_read(given: Any, raw: str, value: float) -> None:
    given(NUMBER=raw)
    assert environment.number("NUMBER", 1, least=0, most=10) == value


@pytest.mark.parametrize("raw", ["", "many", "1,5", "0x10", "ten", "1 2"])
def test_a_number_that_is_none_is_refused(given: Any, raw: str) -> None:
    given(NUMBER=raw)
    with pytest.raises(ImproperlyConfigured, match=r"SCALP_NUMBER is .*: it must be a number\."):
        environment.number("NUMBER", 1, least=0, most=10)


@pytest.mark.parametrize("raw", ["-1", "10.01", "1e9", "inf", "-inf", "nan"])
def test_a_number_out_of_bounds_is_refused(given: Any, raw: str) -> None:
    given(NUMBER=raw)
    with pytest.raises(ImproperlyConfigured, match="it must be between 0 and 10"):
        environment.number("NUMBER", 1, least=0, most=10)


@pytest.mark.parametrize(("raw", "value"), [("auto", None), (" AUTO ", None), ("8", 8)])
def test_auto_leaves_a_value_to_the_process(given: Any, raw: str, value: int | None) -> None:
    assert environment.unless_auto(environment.integer, "BATCH", least=1, most=10) is None
    given(BATCH=raw)
    assert environment.unless_auto(environment.integer, "BATCH", least=1, most=10) == value


@pytest.mark.parametrize("raw", ["", "automatic", "0", "11", "1.5"])
def test_neither_auto_nor_a_sensible_number_is_refused(given: Any, raw: str) -> None:
    given(BATCH=raw)
    with pytest.raises(ImproperlyConfigured, match=r"SCALP_BATCH is .* Or write auto\."):
        environment.unless_auto(environment.integer, "BATCH", least=1, most=10)


def test_an_integer_has_no_fraction(given: Any) -> None:
    given(WHOLE="8", BROKEN="8.5")
    assert environment.integer("WHOLE", 1, least=1, most=10) == 8
    with pytest.raises(ImproperlyConfigured, match="it must be a whole number"):
        environment.integer("BROKEN", 1, least=1, most=10)


def test_words_are_split_at_commas(given: Any) -> None:
    given(WORDS=" a.example, ,b.example,")
    assert environment.words("WORDS", "") == ["a.example", "b.example"]


def test_what_is_not_given_has_its_default(given: Any) -> None:
    assert environment.text("NOWHERE", "here") == "here"
    assert environment.flag("NOWHERE", True) is True
    assert environment.integer("NOWHERE", 5, least=1, most=9) == 5


def test_a_value_may_come_in_a_file(given: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{STRONG}\n")
    given(SECRET_KEY_FILE=str(secret))
    assert environment.secret_key(tmp_path / "var") == STRONG


def test_a_file_that_is_not_there_is_refused(given: Any, tmp_path: Path) -> None:
    given(SECRET_KEY_FILE=str(tmp_path / "nowhere"))
    with pytest.raises((ImproperlyConfigured, OSError), match="nowhere"):
        environment.secret_key(tmp_path / "var")


# The secret key


@pytest.mark.parametrize(
    "weak", ["a", "a" * 100, "abcabcabc" * 10, "changeme", STRONG[:31], f"django-insecure-{STRONG}"]
)
def test_a_weak_key_is_refused_without_being_printed(given: Any, tmp_path: Path, weak: str) -> None:
    given(SECRET_KEY=weak)
    with pytest.raises(ImproperlyConfigured, match="SCALP_SECRET_KEY is too weak") as refusal:
        environment.secret_key(tmp_path)
    assert weak == "a" or weak not in str(refusal.value)


def test_former_keys_are_taken_too_and_must_be_as_strong(given: Any) -> None:
    assert environment.former_secret_keys() == []
    given(SECRET_KEY_FALLBACKS=f"{STRONG}, {STRONG[::-1]}")
    assert environment.former_secret_keys() == [STRONG, STRONG[::-1]]
    given(SECRET_KEY_FALLBACKS=f"{STRONG},weak")
    with pytest.raises(ImproperlyConfigured, match="SCALP_SECRET_KEY_FALLBACKS is too weak"):
        environment.former_secret_keys()


def test_without_a_key_one_is_made_and_kept_for_the_owner_alone(given: Any, tmp_path: Path) -> None:
    var = tmp_path / "var"
    key = environment.secret_key(var)
    assert len(key) >= 64
    assert environment.secret_key(var) == key
    assert stat.S_IMODE((var / "secret-key").stat().st_mode) == 0o600
    assert stat.S_IMODE(var.stat().st_mode) == 0o700
    assert [path.name for path in var.iterdir()] == ["secret-key"]
    assert environment.secret_key(tmp_path / "elsewhere") != key


def test_of_many_that_start_at_the_same_moment_all_have_the_same_key(given: Any, tmp_path: Path) -> None:
    start = threading.Barrier(8)

    def made() -> str:
        start.wait(10)
        return environment.secret_key(tmp_path / "var")

    with ThreadPoolExecutor(8) as threads:
        keys = {done.result() for done in [threads.submit(made) for _ in range(8)]}
    assert len(keys) == 1
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["secret-key"]


# Database and storage


def test_sqlite_keeps_what_it_accepted_and_lets_writers_queue(given: Any, tmp_path: Path) -> None:
    config = environment.database(tmp_path, transaction_seconds=3)
    assert config["NAME"] == str(tmp_path / "db.sqlite3")
    assert config["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in config["OPTIONS"]["init_command"]
    assert "synchronous=FULL" in config["OPTIONS"]["init_command"]
    assert "secure_delete=ON" in config["OPTIONS"]["init_command"]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "psql"])
def test_postgresql_comes_by_url_and_its_password_may_come_apart(given: Any, tmp_path: Path, scheme: str) -> None:
    given(DATABASE_URL=f"{scheme}://scalp@db:6543/scalp", DATABASE_PASSWORD="s3cret")
    config = environment.database(tmp_path, transaction_seconds=3)
    assert config["ENGINE"] == "backend.config.postgresql"
    assert (config["HOST"], config["PORT"], config["NAME"]) == ("db", 6543, "scalp")
    assert (config["USER"], config["PASSWORD"]) == ("scalp", "s3cret")
    assert "idle_in_transaction_session_timeout=3000" in config["OPTIONS"]["options"]
    given(DATABASE_URL=f"{scheme}://scalp:first@db/scalp")
    assert environment.database(tmp_path, transaction_seconds=3)["PASSWORD"] == "first"


@pytest.mark.parametrize("url", ["mysql://root:hidden@db/scalp", "oracle://root:hidden@db/x", "://", ""])
@pytest.mark.filterwarnings("ignore:Engine not recognized")
def test_a_database_of_another_kind_is_refused_without_its_password(given: Any, tmp_path: Path, url: str) -> None:
    given(DATABASE_URL=url)
    with pytest.raises(ImproperlyConfigured, match="SCALP_DATABASE_URL") as refusal:
        environment.database(tmp_path, transaction_seconds=3)
    assert "hidden" not in str(refusal.value)


def test_photos_are_kept_in_a_folder_for_the_owner_alone(given: Any, tmp_path: Path) -> None:
    options = environment.storage(tmp_path, answer_seconds=1)["OPTIONS"]
    assert options["location"] == str(tmp_path / "photos")
    assert (options["file_permissions_mode"], options["directory_permissions_mode"]) == (0o600, 0o700)


def test_photos_may_be_kept_in_a_bucket_whose_keys_come_from_files(given: Any, tmp_path: Path) -> None:
    for name in ("access", "secret"):
        (tmp_path / name).write_text(f"the {name} key\n")
    given(
        STORAGE_URL="s3://scalps/photos?endpoint_url=http://minio:9000&region_name=seoul",
        STORAGE_ACCESS_KEY_FILE=str(tmp_path / "access"),
        STORAGE_SECRET_KEY_FILE=str(tmp_path / "secret"),
    )
    config = environment.storage(tmp_path, answer_seconds=7)
    assert config["BACKEND"] == "backend.config.bucket.Bucket"
    client = config["OPTIONS"].pop("client_config")
    assert config["OPTIONS"] == {
        "bucket_name": "scalps",
        "location": "photos",
        "access_key": "the access key",
        "secret_key": "the secret key",
        "endpoint_url": "http://minio:9000",
        "region_name": "seoul",
    }
    assert client.s3 == {"addressing_style": "path"}
    assert (client.connect_timeout, client.read_timeout, client.retries["total_max_attempts"]) == (2, 7, 2)


def test_a_bucket_without_an_endpoint_is_addressed_as_amazon_wants_it(given: Any, tmp_path: Path) -> None:
    given(STORAGE_URL="s3://scalps")
    assert environment.storage(tmp_path, answer_seconds=1)["OPTIONS"]["client_config"].s3["addressing_style"] == "auto"


@pytest.mark.parametrize("secret", ["access_key", "secret_key", "bucket_nmae"])
def test_what_a_bucket_has_no_use_for_is_refused_and_not_printed(given: Any, tmp_path: Path, secret: str) -> None:
    given(STORAGE_URL=f"s3://scalps?{secret}=hidden")
    with pytest.raises(ImproperlyConfigured, match=f"SCALP_STORAGE_URL has unknown options .{secret}") as refusal:
        environment.storage(tmp_path, answer_seconds=1)
    assert "hidden" not in str(refusal.value)


def test_one_key_of_a_bucket_without_the_other_is_refused(given: Any, tmp_path: Path) -> None:
    given(STORAGE_URL="s3://scalps", STORAGE_ACCESS_KEY="lonely")
    with pytest.raises(ImproperlyConfigured, match="set both or neither"):
        environment.storage(tmp_path, answer_seconds=1)


@pytest.mark.parametrize(
    "url", ["", "photos", "file://", "s3:///photos", "ftp://host/photos", "http://host", "s3://key:hidden@b"]
)
def test_a_storage_of_another_kind_is_refused(given: Any, tmp_path: Path, url: str) -> None:
    given(STORAGE_URL=url)
    with pytest.raises(ImproperlyConfigured, match="SCALP_STORAGE_URL") as refusal:
        environment.storage(tmp_path, answer_seconds=1)
    assert "hidden" not in str(refusal.value)


# Broker


@pytest.mark.parametrize("url", ["redis://one/0", "rediss://two", "amqp://user:word@three//", "amqps://four/scalp"])
def test_a_broker_comes_by_url(given: Any, url: str) -> None:
    given(BROKER_URL=url)
    assert environment.broker("redis://else") == url


@pytest.mark.parametrize("url", ["", "sqs://id:hidden@", "memory://", "kafka://root:hidden@one", "localhost:6379"])
def test_a_broker_of_another_kind_is_refused_without_its_password(given: Any, url: str) -> None:
    given(BROKER_URL=url)
    with pytest.raises(ImproperlyConfigured, match="SCALP_BROKER_URL") as refusal:
        environment.broker("redis://else")
    assert "hidden" not in str(refusal.value)


# Combinations


SAFE: dict[str, Any] = {
    "debug": False, "https": True, "hosts": ["scalp.example", "127.0.0.1"], "proxies": 1,
    "broker": "redis://redis:6379/0", "database": {"HOST": "postgres", "PASSWORD": "s3cret"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"debug": True}, "Unset SCALP_DEBUG"),
        ({"debug": True, "https": False, "hosts": ["scalp.example"]}, "Unset SCALP_DEBUG"),
        ({"debug": True, "https": False, "hosts": ["*"]}, "Unset SCALP_DEBUG"),
        ({"debug": True, "https": False, "hosts": ["198.51.100.7", "8.8.8.8"]}, "Unset SCALP_DEBUG"),
        ({"hosts": ["*"]}, "SCALP_ALLOWED_HOSTS has"),
        ({"proxies": 0}, "Set SCALP_TRUSTED_PROXIES"),
        ({"broker": "redis://8.8.8.8:6379/0"}, "SCALP_BROKER_URL has no password"),
        ({"broker": "amqp://user@queue.example/"}, "SCALP_BROKER_URL has no password"),
        ({"database": {"HOST": "db.example", "PASSWORD": ""}}, "SCALP_DATABASE_URL has no password"),
    ],
)
def test_settings_that_leave_a_door_open_are_refused_with_a_sentence(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=says) as refusal:
        refuse_unsafe_settings(**{**SAFE, **given})
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"https": False, "proxies": 0, "hosts": ["*"]},
        {"debug": True, "https": False, "hosts": ["localhost", "127.0.0.1", "[::1]", "10.0.0.5", "scalp.local"]},
        {"broker": "redis://127.0.0.1:6379/0"},
        {"broker": "redis://redis.scalp.svc:6379/0"},
        {"broker": "rediss://:s3cret@queue.example:6379/0"},
        {"broker": "unix:///run/redis.sock"},
        {"broker": "memory://"},
        {"database": {"NAME": "db.sqlite3"}},
        {"database": {"HOST": "/run/postgresql", "PASSWORD": ""}},
        {"database": {"HOST": "192.168.1.9", "PASSWORD": ""}},
    ],
)
def test_settings_that_leave_none_open_are_taken(given: dict[str, Any]) -> None:
    refuse_unsafe_settings(**{**SAFE, **given})


# A whole process


PRODUCTION = {
    "SCALP_HTTPS": "true",
    "SCALP_TRUSTED_PROXIES": "2",
    "SCALP_ALLOWED_HOSTS": "scalp.example",
    "SCALP_CSRF_TRUSTED_ORIGINS": "https://scalp.example",
    "SCALP_SECRET_KEY": STRONG,
    "SCALP_BROKER_URL": "redis://redis:6379/0",
}


def test_django_finds_nothing_to_warn_of_in_a_site_with_tls_in_front(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr
    # It can fail: without TLS in front, cookies travel in the clear.
    plain = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **{**PRODUCTION, "SCALP_HTTPS": "false"})
    assert plain.returncode != 0
    assert "SESSION_COOKIE_SECURE" in plain.stderr


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SCALP_BROKER_URL", "redis://queue.example/0", "SCALP_BROKER_URL has no password for queue.example"),
        ("SCALP_LEASE_SECONDS", "soon", "SCALP_LEASE_SECONDS is 'soon': it must be a number."),
        ("SCALP_SECRET_KEY", "short", "SCALP_SECRET_KEY is too weak"),
        ("SCALP_DATABASE_URL", "mysql://db/x", "SCALP_DATABASE_URL is not a SQLite or PostgreSQL URL"),
    ],
)
def test_a_process_with_nonsense_in_its_settings_does_not_start(
    tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    done = manage(tmp_path, "check", **{name: value})
    assert done.returncode != 0
    assert sentence in done.stderr


def manage(var: Path, *words: str, **given: str) -> subprocess.CompletedProcess[str]:
    """Run a command of Django's in a process of its own, with these variables."""
    return subprocess.run(
        [sys.executable, "backend/manage.py", *words],
        cwd=ROOT,
        env={**os.environ, "SCALP_VAR": str(var), **given},
        capture_output=True,
        text=True,
    )


# Values as they stand, whatever characters they have

ODD = ["$q*eo+c&2u9tpd6f0szxt6thj9z91mhkyen36tAB", "a#b/c?d[e@f%20g:h+i j-k_l~m.n!o,p;q=r|s<t>u"]
ODD_FOLDERS = ["c++ #1", "머리", "100%25", "a?b", "$HOME"]


@pytest.mark.parametrize("secret", ODD)
@pytest.mark.parametrize("in_a_file", [False, True], ids=["variable", "file"])
def test_a_secret_is_taken_literally(given: Any, tmp_path: Path, secret: str, in_a_file: bool) -> None:
    (tmp_path / "secret").write_text(f"{secret}\n")

    def tell(name: str) -> None:
        given(**({f"{name}_FILE": str(tmp_path / "secret")} if in_a_file else {name: secret}))

    tell("SECRET_KEY")
    assert environment.secret_key(tmp_path) == secret
    tell("DATABASE_PASSWORD")
    given(DATABASE_URL="postgresql://scalp@db/scalp")
    assert environment.database(tmp_path, transaction_seconds=3)["PASSWORD"] == secret


@pytest.mark.parametrize("url", ["//:p#ss@h:6379/0", "//:pass[x@h", "//:pa/ss@h:x/0", "//scalp:p#ss/w@h/db"])
def test_a_url_that_is_not_encoded_is_refused_without_any_of_it(given: Any, tmp_path: Path, url: str) -> None:
    given(BROKER_URL=f"redis:{url}", DATABASE_URL=f"postgresql:{url}", STORAGE_URL=f"s3:{url}")
    for read in (
        lambda: environment.broker(""),
        lambda: environment.database(tmp_path, transaction_seconds=3),
        lambda: environment.storage(tmp_path, answer_seconds=3),
    ):
        with pytest.raises(ImproperlyConfigured, match="Percent-encode") as refused:
            read()
        assert url not in str(refused.value)
        assert "ss" not in str(refused.value).replace("password", "")
        assert refused.value.__suppress_context__


@pytest.mark.parametrize("name", ODD_FOLDERS)
def test_a_folder_may_have_any_name(given: Any, tmp_path: Path, name: str) -> None:
    var = tmp_path / name
    assert environment.database(var, transaction_seconds=3)["NAME"] == str(var / "db.sqlite3")
    assert environment.storage(var, answer_seconds=3)["OPTIONS"]["location"] == str(var / "photos")
    given(STORAGE_URL=(var / "photos").as_uri())
    assert environment.storage(var, answer_seconds=3)["OPTIONS"]["location"] == str(var / "photos")


def test_two_slashes_are_no_folder(given: Any, tmp_path: Path) -> None:
    given(STORAGE_URL="file://var/photos")
    with pytest.raises(ImproperlyConfigured, match="file:///folder"):
        environment.storage(tmp_path, answer_seconds=3)


def test_a_key_is_kept_where_there_are_no_hard_links(
    given: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(1, "Operation not permitted")  # As exFAT does.

    monkeypatch.setattr(os, "link", refuse)
    key = environment.secret_key(tmp_path)
    assert environment.secret_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]
