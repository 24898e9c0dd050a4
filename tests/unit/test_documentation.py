"""The documentation names files, settings and commands that exist, and settings behave as its table says."""

from __future__ import annotations

import argparse
import ast
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import get_commands, load_command_class

from backend.clinics.sample import CLINICS
from backend.config import environment
from deploy.launcher.environment import GIGABYTES_CUDA
from deploy.launcher.settings import Settings
from ml.cli import main as ml_main
from ml.cli.arguments import ListRecipes
from tests.support.environment import ROOT

PAGES = sorted([
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md"),
])  # fmt: skip
TEXTS = {str(page.relative_to(ROOT)): page.read_text() for page in PAGES}

every_page = pytest.mark.parametrize("page", TEXTS)


def test_the_readme_is_short() -> None:
    assert len(TEXTS["README.md"].splitlines()) <= 110


# Files

#: Without the folders that a run makes.
TOP_LEVEL = {path.name for path in ROOT.iterdir()} - {"var", ".venv"}


def links(text: str) -> list[str]:
    """Targets of Markdown links and of pictures, without those to other hosts."""
    targets = [*re.findall(r"\]\(([^)\s]+)\)", text), *re.findall(r'<img src="([^"]+)"', text)]
    return [target for target in targets if not re.match(r"\w+:", target)]


def anchors(text: str) -> set[str]:
    """Headings as GitHub makes anchors of them, and anchors that are written out."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    made = {re.sub(r"[^\w -]", "", heading.strip()).lower().replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([^"]+)">', text))


def paths(text: str) -> set[str]:
    """Paths from the root of the repository, in code spans and in blocks of code."""
    code = re.findall(r"`([^`\n]+)`", text) + re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for span in code for line in span.splitlines() if "kubectl" not in line]  # It says deploy/NAME.
    words = {word.strip("'\"(),;:").partition("::")[0] for line in lines for word in line.split()}
    return {
        word for word in words if word.partition("/")[0] in TOP_LEVEL and "/" in word and not re.search("[…<>]", word)
    }


@every_page
def test_every_link_leads_to_a_file_and_a_heading(page: str) -> None:
    for target in links(TEXTS[page]):
        file, _, anchor = target.partition("#")
        path = (ROOT / page).parent / file if file else ROOT / page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path.read_text()), target


@every_page
def test_every_path_exists(page: str) -> None:
    missing = {
        path for path in paths(TEXTS[page]) if not (any(ROOT.glob(path)) if "*" in path else (ROOT / path).exists())
    }
    assert missing == set()


def test_a_path_and_an_anchor_that_do_not_exist_are_found() -> None:
    text = "See `tests/nowhere.py::test_x`, `kubectl exec deploy/web`, [it](docs/settings.md#nowhere).\n## Here, too\n"
    assert paths(text) == {"tests/nowhere.py"}
    assert links(text) == ["docs/settings.md#nowhere"]
    assert anchors(text) == {"here-too"}


@every_page
def test_a_name_in_a_file_is_in_that_file(page: str) -> None:
    """“`A` and `B` in `path`”: the pages say so of what is to be changed where."""
    for names, path in re.findall(r"((?:`\w+`(?:, | and )?)+)\s+in\s+`([\w/.-]+/[\w.-]+)`", TEXTS[page]):
        file = ROOT / path
        if path.partition("/")[0] in TOP_LEVEL and file.is_file():
            missing = [name for name in re.findall(r"`(\w+)`", names) if name not in file.read_text()]
            assert missing == [], path


def in_one_line(page: str) -> str:
    return " ".join(TEXTS[page].split())


def test_as_many_faults_are_named_as_are_in_the_table() -> None:
    rows = re.findall(r"^\| \S.*\. \|.*\| (\d+) \| (\d+) \|$", TEXTS["docs/faults.md"], re.MULTILINE)
    assert set(rows) == {("0", "0")}
    assert f"has {len(rows)} faults under load, with no result lost and none written twice" in in_one_line("README.md")
    assert f"a matrix of {len(rows)}, under load" in in_one_line("CHANGELOG.md")


def test_the_readme_counts_what_is_there() -> None:
    entries = [tomllib.loads(file.read_text()) for file in (ROOT / "backend" / "questions" / "entries").glob("*.toml")]
    products = (ROOT / "backend" / "products" / "samples.csv").read_text().splitlines()
    assert f"from {sum(len(file.get('entry', [])) for file in entries)} texts" in in_one_line("README.md")
    assert f"{len(products) - 1} invented ones" in in_one_line("README.md")
    assert f"there are {CLINICS:,} invented ones" in in_one_line("README.md")
    assert f"{GIGABYTES_CUDA} GB of free disk" in in_one_line("README.md")


def test_the_index_of_decisions_is_complete() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"^- \[(.+)\]\((.+)\)$", (folder / "README.md").read_text(), re.MULTILINE)
    assert [file for _, file in listed] == sorted(path.name for path in folder.glob("0*.md"))
    for title, file in listed:
        assert (folder / file).read_text().startswith(f"# {title}\n")


# Settings


class Row(NamedTuple):
    """A row of the tables in docs/settings.md. `file` is the last column: yes, no, or yes with a second reader."""

    default: str
    file: str


TABLE = {
    name: Row(default, file)
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
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """No setting but a folder for what is written."""
    for name in read_by_code():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SCALP_VAR", str(tmp_path / "var"))
    cached = environment._read.ENVIRON.files_cache
    before = {**cached}
    cached.clear()
    yield monkeypatch
    cached.clear()
    cached.update(before)


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


# Commands


def commands(text: str) -> Iterator[list[str]]:
    """Shell commands of a page, in blocks of code and in code spans, each as words without variables before it."""
    blocks = re.findall(r"^```(?:sh)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    blocks += re.findall(r"^ +```(?:sh)?\n(.*?)^ +```", text, re.MULTILINE | re.DOTALL)
    blocks += re.findall(r"((?:^    \S.*\n)+)", text, re.MULTILINE)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    for line in [*lines, *re.findall(r"`([^`\n]+)`", text)]:
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if words:
            yield words


def commands_of(*start: str) -> list[tuple[str, list[str]]]:
    """All commands of all pages that begin so, each with its page and its further words."""
    found: dict[tuple[str, ...], str] = {}
    for page, text in TEXTS.items():
        for words in commands(text):
            for at in range(len(words) - len(start) + 1):
                if tuple(words[at : at + len(start)]) == start:
                    found.setdefault(tuple(words[at + len(start) :]), page)
                    break
    return [(page, list(words)) for words, page in sorted(found.items())]


def words_as_id(found: str | list[str]) -> str:
    return found if isinstance(found, str) else " ".join(found)


def test_every_make_target_exists() -> None:
    targets = {word for _, words in commands_of("make") for word in words if re.fullmatch(r"[a-z-]+", word)} - {"…"}
    assert {"run", "test", "check"} <= targets
    done = subprocess.run(["make", "-n", *sorted(targets)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def parsed(arguments: list[str]) -> None:
    """Parse the arguments of `python -m ml` without doing what they say. Raises SystemExit where they are wrong."""
    original = argparse.ArgumentParser.parse_args

    def parse(self: argparse.ArgumentParser, *given: Any) -> argparse.Namespace:
        options = original(self, *given)
        options.run = lambda _: 0
        return options

    # To name the recipes takes torch, seconds to import.
    names_recipes = patch.object(ListRecipes, "__call__", lambda _self, parser, *_: parser.exit())
    with names_recipes, patch.object(argparse.ArgumentParser, "parse_args", parse):
        assert ml_main(arguments) == 0


def is_a_mention(words: list[str]) -> bool:
    """Whether only the name of a command is meant, not a command that somebody could give."""
    return all(re.fullmatch(r"[a-z-]+", word) for word in words)


@pytest.mark.parametrize(("page", "words"), commands_of("python", "-m", "ml"), ids=words_as_id)
def test_an_ml_command_parses(page: str, words: list[str]) -> None:
    if words == ["…"]:
        return
    asked = [*words, "--help"] if is_a_mention(words) else words
    try:
        parsed(asked)
    except SystemExit as end:
        assert not end.code, f"{page}: python -m ml {' '.join(words)}"  # noqa: PT017 - 0 or None is what help ends with


@pytest.mark.parametrize(
    "arguments", [["predict", "photo.jpg", "--nonsense"], ["bundle", "nonsense"], ["nonsense"]], ids=words_as_id
)
def test_an_ml_command_that_does_not_parse_is_found(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parsed(arguments)
    assert end.value.code == 2
    assert "nonsense" in capsys.readouterr().err


@pytest.mark.parametrize(("page", "words"), commands_of("python", "backend/manage.py"), ids=words_as_id)
def test_a_manage_command_parses(page: str, words: list[str]) -> None:
    name, *arguments = words
    application = get_commands()[name]
    command = load_command_class(application, name) if isinstance(application, str) else application
    try:
        command.create_parser("manage.py", name).parse_args(arguments or ["--help"])
    except SystemExit as end:
        assert not end.code, f"{page}: manage.py {' '.join(words)}"  # noqa: PT017


@pytest.mark.parametrize(
    ("page", "words"),
    [(page, words) for page, words in commands_of("python", "-m") if words[:1] != ["ml"]],
    ids=words_as_id,
)
def test_another_module_that_is_run_exists_and_knows_its_options(page: str, words: list[str]) -> None:
    module, *arguments = words
    if module == "…":
        return
    spec = find_spec(module)
    assert spec is not None, f"{page}: python -m {module}"
    if module == "pytest":
        assert [word for word in arguments if "/" in word and not (ROOT / word).exists()] == []
        return
    assert spec.origin is not None
    folder = Path(spec.origin)
    source = "".join(
        path.read_text() for path in (folder.parent.glob("*.py") if folder.stem == "__init__" else [folder])
    )
    for option in (word for word in arguments if word.startswith("--")):
        assert option in source or option.removeprefix("--").replace("-", "_") in source, option


@pytest.mark.parametrize(("page", "words"), commands_of("pip", "install"), ids=words_as_id)
def test_an_installed_list_of_requirements_exists(page: str, words: list[str]) -> None:
    assert (ROOT / words[words.index("-r") + 1]).exists(), page


def test_the_commands_of_celery_name_applications() -> None:
    named = [words[words.index("-A") + 1] for _, words in commands_of("celery") if "-A" in words]
    assert named
    assert [name for name in named if find_spec(name) is None] == []


def test_the_estimate_of_capacity_answers() -> None:
    words = next(words for _, words in commands_of("python", "-m", "deploy.capacity") if words)
    done = subprocess.run([sys.executable, "-m", "deploy.capacity", *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
