"""The table of settings is complete, and settings behave as it says."""

from __future__ import annotations

import ast
import re
import runpy
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.core.exceptions import ImproperlyConfigured

from deploy.launcher.settings import Settings
from tests.support.environment import ROOT
from tests.unit.documentation.pages import TEXTS, every_page


class Setting(NamedTuple):
    """A setting in the tables of docs/settings.md. `file` is the last column: yes, no, or yes with a second reader."""

    default: str
    file: str


TABLE = {
    name: Setting(default, file)
    for name, default, file in re.findall(
        r"^\| `((?:SCALP|OTEL)_\w+)` \| (.+?) \| .+ \| (yes|yes¹|no) \|$", TEXTS["docs/settings.md"], re.MULTILINE
    )
}


WITH_FILE = sorted(name for name, row in TABLE.items() if row.file != "no")


NAME = re.compile(r"[A-Z][A-Z0-9_]+")


def product_sources() -> Iterator[Path]:
    for folder in ("backend", "deploy", "ml", "workers"):
        yield from (path for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts)


def texts_of(call: ast.Call) -> list[str]:
    return [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]


@cache
def helpers_of_opentelemetry() -> set[str]:
    """Functions of backend/config/environment.py that put `OTEL_` before the names that they are given."""
    tree = ast.parse((ROOT / "backend" / "config" / "environment.py").read_text())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {function.name for function in functions if 'f"OTEL_{' in ast.unparse(function).replace("'", '"')}


@cache
def read_by_helpers() -> dict[str, ast.Call]:
    """Settings that the helpers of backend/config/environment.py read, each with a call that reads it."""
    found: dict[str, ast.Call] = {}
    for path in sorted((ROOT / "backend" / "config").glob("*.py")):
        inside = path.name == "environment.py"
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            helper = call.func
            if inside:
                is_helper = isinstance(helper, ast.Name) and helper.id not in helpers_of_opentelemetry()
            else:
                of = helper.value if isinstance(helper, ast.Attribute) else None
                is_helper = isinstance(of, ast.Name) and of.id == "environment"
            if is_helper:
                found |= {f"SCALP_{name}": call for name in texts_of(call)[:1] if NAME.fullmatch(name)}
    return found


@cache
def read_directly() -> set[str]:
    """Variables that product code takes out of the environment by their whole names, and those of OpenTelemetry."""
    found = set()
    for source in (path.read_text() for path in product_sources()):
        for node in ast.walk(ast.parse(source)) if re.search("SCALP_|OTEL_", source) else ():
            if isinstance(node, ast.Call):
                of_opentelemetry = isinstance(node.func, ast.Name) and node.func.id in helpers_of_opentelemetry()
                names = [f"OTEL_{name}" for name in texts_of(node)] if of_opentelemetry else texts_of(node)[:1]
                found |= {name for name in names if re.fullmatch(r"(SCALP|OTEL)_[A-Z_]+", name)}
            elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
                found |= {name for name in [str(node.slice.value)] if re.fullmatch(r"SCALP_[A-Z_]+", name)}
    return found


def read_by_compose() -> set[str]:
    files = [ROOT / "docker-compose.yml", *(ROOT / "deploy" / "compose").glob("*.yml")]
    return {name for file in files for name in re.findall(r"\$\{(SCALP_\w+)", file.read_text())}


def read_by_code() -> set[str]:
    return {*read_by_helpers(), *read_directly(), *read_by_compose()}


def test_every_setting_that_code_reads_is_in_the_table_and_no_other() -> None:
    of_tests = {"SCALP_TEST_DATABASE"}
    assert set(TABLE) == read_by_code() | of_tests
    assert "SCALP_TEST_DATABASE" in (ROOT / "tests" / "support" / "environment.py").read_text()


@every_page
def test_every_setting_that_a_page_names_is_in_the_table(page: str) -> None:
    named = {name.removesuffix("_FILE") for name in re.findall(r"\bSCALP_[A-Z][A-Z_]*[A-Z]\b", TEXTS[page])}
    assert named - {"SCALP_X"} <= set(TABLE)


def test_the_last_column_follows_from_who_reads_a_setting() -> None:
    by_helpers, directly = set(read_by_helpers()), {name for name in read_directly() if not name.startswith("OTEL_")}
    expected = dict.fromkeys(TABLE, "no") | dict.fromkeys(by_helpers, "yes")
    expected |= dict.fromkeys(by_helpers & (directly | launcher_passes()), "yes¹")
    assert {name: row.file for name, row in TABLE.items()} == expected


def launcher_passes() -> set[str]:
    """What `make run` hands to every part, whatever a file says."""
    return {name for name in Settings.read(ROOT, {}).environment("redis://127.0.0.1", {}) if name.startswith("SCALP_")}


def in_words(default: object) -> str:
    """A default of the code as the table writes it."""
    if isinstance(default, bool):
        return str(default).lower()
    return str(default or "none")


@pytest.mark.parametrize("name", sorted(read_by_helpers()))
def test_a_default_is_the_one_of_the_code(name: str) -> None:
    """As far as the code has it as a plain value beside the name."""
    first, *others = read_by_helpers()[name].args
    if isinstance(first, ast.Constant) and others and isinstance(others[0], ast.Constant):
        written = TABLE[name].default.strip("`")
        assert written == in_words(others[0].value) or (name, written) == ("SCALP_TRUSTED_PROXIES", "0")


#: A value that is not the default, and what Django's settings make of it: an expression over their names.
KEY = "k3y-" + "abcdefghij" * 5


EXAMPLES: dict[str, tuple[str, str, Any]] = {
    "ALLOWED_HOSTS": ("web,10.0.0.7", "ALLOWED_HOSTS", ["web", "10.0.0.7"]),
    "BROKER_URL": ("redis://10.0.0.7:6380/1", "CELERY_BROKER_URL", "redis://10.0.0.7:6380/1"),
    "BUNDLE": ("/bundle", "BUNDLE", "/bundle"),
    "CONCURRENCY": ("8", "CELERY_WORKER_CONCURRENCY", 8),
    "CSRF_TRUSTED_ORIGINS": ("https://scalp.example", "CSRF_TRUSTED_ORIGINS", ["https://scalp.example"]),
    "DATABASE_PASSWORD": ("secret", "DATABASES['default']['PASSWORD']", "secret"),
    "DATABASE_POOL": ("3", "DATABASES['default']['OPTIONS']['pool']['max_size']", 3),
    "DATABASE_URL": ("postgresql://scalp@10.0.0.8/scalp", "DATABASES['default']['HOST']", "10.0.0.8"),
    "DEBUG": ("true", "DEBUG", True),
    "DEVICE": ("cpu", "DEVICE", "cpu"),
    "FLOWER_URL": ("/queue/", "FLOWER_URL", "/queue/"),
    "HTTPS": ("true", "HTTPS", True),
    "LEASE_SECONDS": ("30", "LEASE_SECONDS", 30),
    "LOGINS_PER_MINUTE": ("4", "LOGINS_PER_MINUTE", 4),
    "LOG_LEVEL": ("warning", "LOGGING['root']['level']", "WARNING"),
    "MAX_ATTEMPTS": ("5", "MAX_ATTEMPTS", 5),
    "MAX_BATCH": ("16", "MAX_BATCH", 16),
    "MAX_WAIT_MS": ("2.5", "MAX_WAIT_MS", 2.5),
    "METRICS_HOST": ("10.0.0.9", "METRICS_HOST", "10.0.0.9"),
    "METRICS_PORT": ("9100", "METRICS_PORT", 9100),
    "QUESTIONS_BY_MEANING": ("false", "QUESTIONS_BY_MEANING", False),
    "QUESTIONS_PER_MINUTE": ("6", "QUESTIONS_PER_MINUTE", 6),
    "QUEUE_LIMIT": ("70", "QUEUE_LIMIT", 70),
    "RETENTION_HOURS": ("48", "RETENTION_HOURS", 48),
    "RUNTIME": ("eager", "RUNTIME", "eager"),
    "SECRET_KEY": (KEY, "SECRET_KEY", KEY),
    "SECRET_KEY_FALLBACKS": (KEY[::-1], "SECRET_KEY_FALLBACKS", [KEY[::-1]]),
    "STATIC_ROOT": ("/static", "str(STATIC_ROOT)", "/static"),
    "STORAGE_ACCESS_KEY": ("access", "STORAGES['default']['OPTIONS']['access_key']", "access"),
    "STORAGE_SECRET_KEY": ("secret", "STORAGES['default']['OPTIONS']['secret_key']", "secret"),
    "STORAGE_URL": ("s3://photos", "STORAGES['default']['OPTIONS']['bucket_name']", "photos"),
    "SUBMITS_PER_MINUTE": ("9", "SUBMITS_PER_MINUTE", 9),
    "TILES_ATTRIBUTION": ("a map", "TILES_ATTRIBUTION", "a map"),
    "TILES_URL": ("https://map.example/{z}/{x}/{y}.png", "TILES_URL", "https://map.example/{z}/{x}/{y}.png"),
    "TRUSTED_PROXIES": ("2", "TRUSTED_PROXIES", 2),
    "VAR": ("", "", None),  # A folder, which the test makes.
    "WAITERS": ("0", "WAITERS", 0),
}


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """No setting but a folder for what is written."""
    for name in read_by_code():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SCALP_VAR", str(tmp_path / "var"))
    return monkeypatch


def settings_read() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "backend" / "config" / "settings.py"))


def test_a_setting_is_read_from_the_file_that_the_table_promises(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert sorted(f"SCALP_{name}" for name in EXAMPLES) == WITH_FILE
    for name, (value, _, _) in EXAMPLES.items():
        value = value or str(tmp_path / "elsewhere")
        (tmp_path / name).write_text(f"{value}\n")
        bare.setenv(f"SCALP_{name}_FILE", str(tmp_path / name))
    bare.setenv("SCALP_DEBUG_FILE", "")  # Not together with HTTPS, which would be refused.
    bare.delenv("SCALP_VAR")
    read = settings_read()
    assert read["VAR"] == tmp_path / "elsewhere"
    found = {name: eval(what, {**read}) for name, (_, what, _) in EXAMPLES.items() if name not in {"VAR", "DEBUG"}}
    assert found == {name: EXAMPLES[name][2] for name in found}


def test_debugging_is_read_from_a_file_as_well(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "debug").write_text("true\n")
    bare.setenv("SCALP_DEBUG_FILE", str(tmp_path / "debug"))
    assert settings_read()["DEBUG"] is True


def test_a_file_wins_over_the_variable(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "limit").write_text("70")
    bare.setenv("SCALP_QUEUE_LIMIT", "80")
    bare.setenv("SCALP_QUEUE_LIMIT_FILE", str(tmp_path / "limit"))
    assert settings_read()["QUEUE_LIMIT"] == 70


def test_the_launcher_reads_variables_alone(tmp_path: Path) -> None:
    (tmp_path / "devices").write_text("cuda:0,cuda:1")
    assert Settings.read(ROOT, {"SCALP_DEVICE_FILE": str(tmp_path / "devices")}).devices == ("auto",)
    assert Settings.read(ROOT, {"SCALP_DEVICE": "cuda:0,cuda:1"}).devices == ("cuda:0", "cuda:1")


@pytest.mark.parametrize(
    "unsafe", [{"SCALP_DEBUG": "true", "SCALP_ALLOWED_HOSTS": "scalp.example"}, {"SCALP_HTTPS": "true"}]
)
def test_unsafe_combinations_stop_a_process(bare: pytest.MonkeyPatch, unsafe: dict[str, str]) -> None:
    for name, value in unsafe.items():
        bare.setenv(name, value)
    with pytest.raises(ImproperlyConfigured):
        settings_read()
