"""Every text has a Korean one, and the compiled catalog is the one that is read."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from babel.messages.extract import extract_python
from django.template import Template
from django.template.loader import render_to_string
from django.utils.translation import override
from django.utils.translation.template import templatize

from tests.support.environment import ROOT

FOLDER = ROOT / "frontend" / "locale" / "ko" / "LC_MESSAGES"
KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    "pgettext": None,  # of templates: first the context, then the text
}
HOW = """Bring the catalog up to date with GNU gettext, translate what is new in django.po, compile, commit both:
  .venv/bin/python backend/manage.py makemessages -l ko --no-location --no-obsolete -i '.venv/*' -i 'var/*' -i 'tests/*'
  .venv/bin/python backend/manage.py compilemessages -l ko -i '.venv/*'"""


def python_sources() -> list[Path]:
    return [path for path in sorted((ROOT / "backend").rglob("*.py")) if "migrations" not in path.parts]


def templates() -> list[Path]:
    return sorted((ROOT / "frontend" / "templates").rglob("*.html"))


def source_messages() -> Iterator[tuple[str, str]]:
    """Every text marked for translation, with the file it stands in."""
    for path in python_sources():
        yield from messages_of(path.read_text(), path)
    for path in templates():
        # Django turns a template into lines of calls between blanks; indented blanks would not be Python.
        code = "\n".join(line.strip() for line in templatize(path.read_text()).splitlines())
        yield from messages_of(code, path)


def messages_of(code: str, path: Path) -> Iterator[tuple[str, str]]:
    for _line, function, found, _comments in extract_python(io.BytesIO(code.encode()), KEYWORDS, (), {}):
        texts = found if isinstance(found, tuple) else (found,)
        first = texts[function == "pgettext"]
        assert first, f"{path}: {function} without a plain text"
        yield str(first), str(path.relative_to(ROOT))


@pytest.fixture(scope="module")
def korean() -> polib.POFile:
    return polib.pofile(str(FOLDER / "django.po"))


def test_every_text_of_the_sources_has_a_korean_one(korean: polib.POFile) -> None:
    translated = {entry.msgid for entry in korean if entry.translated()}
    found = dict(source_messages())
    assert len(found) > 150, "the sources were not read"
    missing = {message: path for message, path in found.items() if message not in translated}
    assert not missing, f"{missing}\n{HOW}"


def test_the_catalog_holds_nothing_else(korean: polib.POFile) -> None:
    left_over = {entry.msgid for entry in korean} - {message for message, _path in source_messages()}
    assert not left_over, f"{left_over}\n{HOW}"
    assert not korean.fuzzy_entries()
    assert not korean.obsolete_entries()


def test_the_compiled_catalog_is_what_the_readable_one_compiles_to(korean: polib.POFile) -> None:
    def texts(catalog: polib.POFile | polib.MOFile) -> dict[str, object]:
        return {entry.msgid: entry.msgstr_plural or entry.msgstr for entry in catalog}

    assert texts(polib.mofile(str(FOLDER / "django.mo"))) == texts(korean), HOW


def test_placeholders_and_tags_survive_translation(korean: polib.POFile) -> None:
    marks = re.compile(r"%\(\w+\)[ds]|\{\w+\}|</?\w+>")
    for entry in korean:
        for text in entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]:
            tags = marks.findall(text)
            if "<em>" in entry.msgid:
                # Korean sets other words in accent, but in tags that close.
                assert tags.count("<em>") == tags.count("</em>") > 0, entry.msgid
                assert {tag for tag in tags if tag[0] in "%{"} == {
                    t for t in marks.findall(entry.msgid) if t[0] in "%{"
                }
            else:
                assert sorted(tags) == sorted(marks.findall(entry.msgid)), entry.msgid


def test_no_page_names_a_cure_or_speaks_of_a_diagnosis_of_ours(korean: polib.POFile) -> None:
    for entry in korean:
        for text in entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]:
            if "진단" in text:
                assert re.search(r"진단하지 않|진단이 아니|진단을 대신하지 않|진단은 의사만", text), text
            if "치료" in text:
                assert "치료를 권하지 않" in text, text
            assert not re.search(r"완치|처방|약을|효능|효과", text), text


def test_every_column_that_admins_see_has_a_korean_name() -> None:
    from django.contrib import admin
    from django.contrib.admin.utils import label_for_field

    with override("ko"):
        for model, page in admin.site._registry.items():
            if not model.__module__.startswith("backend."):
                continue
            shown = {*page.list_display, *(field.name for field in model._meta.fields if field.editable)}
            names = {field: label_for_field(field, model, page) for field in shown}
            named = {field for field, name in names.items() if re.search("[가-힣]", str(name))}
            assert shown - named <= {"id"}, model


@pytest.mark.parametrize("path", templates(), ids=lambda path: path.name)
def test_no_template_holds_a_script_body_or_a_style(path: Path) -> None:
    text = path.read_text()
    Template(text)  # It parses.
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text)
    assert all(not body.strip() for body in re.findall(r"<script[^>]*>(.*?)</script>", text, re.DOTALL))


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_page_that_explains_an_error_speaks_one_language(language: str, settings, rf) -> None:  # type: ignore[no-untyped-def]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    from backend.config.errors import COMMON

    for status, (_code, detail) in COMMON.items():
        with override(language):
            page = render_to_string("problem.html", {"status": status, "detail": detail}, request=rf.get("/nowhere/"))
        main = page[page.index("<main") :]
        assert bool(re.search("[가-힣]", main)) == (language == "ko")
